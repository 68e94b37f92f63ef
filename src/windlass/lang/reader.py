"""Apply a schema to a YAML tree: tokens come out, with every error in GitHub's words and order.

Source: actions/languageservices, workflow-parser/src/templates/template-reader.ts; the limits and
the reading of keys from actions/runner, WorkflowParser/ObjectTemplating/TemplateReader.cs,
TemplateMemory.cs and WorkflowParser/Conversion/YamlObjectReader.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.casing import fold
from windlass.lang.expressions import to_text
from windlass.lang.positions import Position, Span
from windlass.lang.scalars import OPEN, parse_scalar
from windlass.lang.schema.definitions import (
    BooleanDefinition,
    NumberDefinition,
    StringDefinition,
)
from windlass.lang.tokens import (
    BooleanToken,
    ExpressionToken,
    InsertToken,
    MappingToken,
    NullToken,
    NumberToken,
    SequenceToken,
    StringToken,
)
from windlass.lang.yaml import parse_yaml
from windlass.lang.yaml.nodes import MappingNode, ScalarNode
from windlass.lang.yaml.scalars import UnusableTagError, resolve_scalar

if TYPE_CHECKING:
    from typing import TypeAlias

    from windlass.lang.problems import Problems
    from windlass.lang.schema.definitions import MappingDefinition, Property
    from windlass.lang.schema.schema import Place
    from windlass.lang.tokens import KeyToken, ScalarToken, Token
    from windlass.lang.yaml.nodes import Node, SequenceNode

    LiteralToken: TypeAlias = NullToken | BooleanToken | NumberToken | StringToken

MAX_NODES = 50_000
"""How many nodes may be read; aliases count once for each use."""

MAX_DEPTH = 50
"""How deep sequences and mappings may nest."""

MAX_BYTES = 10 * 1024 * 1024
"""How large the result may be, counted as the runner counts it."""

MAX_SUGGESTIONS = 100
"""How many problems a file may have before keys are no longer compared for a suggestion."""

_TOKEN_BYTES = 24
_STRING_BYTES = 26
_UNSUGGESTED = ("wait", "wait-all", "cancel")
"""Keys that are never what somebody forgot; GitHub leaves them out of its suggestion, too."""

_MAY_BE_EMPTY = ("workflow-dispatch-inputs", "workflow-dispatch-input")
"""Places that the server lets be empty although GitHub's editor refuses that."""

_NOT_ALLOWED = "A template expression is not allowed in this context"


_EMPTY = "Expected a scalar value, a sequence, or a mapping"


class LimitExceeded(Exception):  # noqa: N818  ends the reading of one file, never leaves this module
    """A limit was reached; reading on could take for ever."""


def read_template(root: Node, place: Place, problems: Problems) -> Token | None:
    """Read a whole file whose root is described by `place`; None if a limit ended the reading."""
    try:
        return _TemplateReader(problems).read(root, place)
    except LimitExceeded:
        return None


def read_file(problems: Problems, path: str, data: bytes, root: Place) -> MappingToken | None:
    """Read a file that holds a mapping, which `root` describes; `path` is named in positions.

    None where there is no mapping, which is then recorded.
    """
    document = parse_yaml(path, data)
    problems.found.extend(document.diagnostics)
    if document.root is None:
        if not document.diagnostics:
            start = Span(path, Position(1, 1), Position(1, 1))
            keys = ", ".join(f"'{name}'" for name in root.mappings[0].properties)
            problems.add("empty-file", _EMPTY, start, f"The file is empty; it may hold {keys}.")
        return None
    token = read_template(document.root, root, problems)
    return token if isinstance(token, MappingToken) else None


class _TemplateReader:
    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._nodes = 0
        self._bytes = 0
        self._depth = 0

    def read(self, node: Node, place: Place) -> Token:
        """Return the token for a value."""
        if isinstance(node, ScalarNode):
            self._count(node, len(node.text))
            return self._validate(self._scalar(node, place), place)
        self._count(node, 0)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._stop("max-depth", "Maximum object depth exceeded", node)
        if isinstance(node, MappingNode):
            token: Token = self._mapping(node, place)
        else:
            token = self._sequence(node, place)
        self._depth -= 1
        return token

    def _count(self, node: Node, length: int) -> None:
        self._nodes += 1
        self._bytes += _TOKEN_BYTES + (_STRING_BYTES + 2 * length if length else 0)
        if self._nodes > MAX_NODES:
            self._stop("max-nodes", "Maximum YAML nodes exceeded", node)
        if self._bytes > MAX_BYTES:
            self._stop("max-size", "Maximum object size exceeded", node)

    def _stop(self, code: str, message: str, node: Node) -> None:
        self._problems.add(code, message, node.span)
        raise LimitExceeded

    def _sequence(self, node: SequenceNode, place: Place) -> SequenceToken:
        if place.sequence is None:
            self._problems.add(
                "unexpected-sequence", "A sequence was not expected", node.span, _expected(place)
            )
            return SequenceToken((), node.span)
        item = place.inside(place.sequence.item)
        return SequenceToken(tuple([self.read(child, item) for child in node.items]), node.span)

    def _mapping(self, node: MappingNode, place: Place) -> MappingToken:
        if not place.mappings:
            self._problems.add(
                "unexpected-mapping", "A mapping was not expected", node.span, _expected(place)
            )
            return MappingToken((), node.span)
        return MappingToken(tuple(_MappingReader(self, place).read(node)), node.span)

    def key(self, node: Node, place: Place) -> KeyToken | None:
        """Return the token for a mapping's key, a string where it is written as anything else."""
        if not isinstance(node, ScalarNode):
            self._problems.add(
                "mapping-key", "A mapping key must be a scalar", node.span, "Write a plain text."
            )
            return None
        self._count(node, len(node.text))
        token = self._scalar(node, place)
        if isinstance(token, (StringToken, ExpressionToken, InsertToken)):
            return token
        return StringToken(literal_text(token), node.span)

    def _scalar(self, node: ScalarNode, place: Place) -> ScalarToken:
        try:
            plain = resolve_scalar(node)
        except UnusableTagError as error:
            hint = "A value that starts with '!' needs quotes; a tag has to be removed."
            self._problems.add("yaml-tag", str(error), node.span, hint)
            return StringToken(node.text, node.span)
        if isinstance(plain, str):
            if OPEN in plain:
                available = place.available
                return parse_scalar(plain, node.span, node.source, available, self._problems)
            return StringToken(plain, node.span)
        if plain is None:
            return NullToken(node.span)
        if isinstance(plain, bool):
            return BooleanToken(plain, node.span)
        return NumberToken(plain, node.text, node.span)

    def _validate(self, token: ScalarToken, place: Place) -> ScalarToken:
        if isinstance(token, ExpressionToken):
            if not place.available:
                self._problems.add("expression-not-allowed", _NOT_ALLOWED, token.span)
            return token
        if isinstance(token, InsertToken):
            self._unexpected("${{ insert }}", token, place)
            return token
        if _accepts(place, token):
            return token
        if not isinstance(token, StringToken):
            as_text = StringToken(literal_text(token), token.span)
            if _accepts(place, as_text):
                return as_text
        self._unexpected(literal_text(token), token, place)
        return token

    def _unexpected(self, text: str, token: ScalarToken, place: Place) -> None:
        message = f"Unexpected value '{text}'"
        is_lenient = place.name in _MAY_BE_EMPTY and isinstance(token, NullToken)
        record = self._problems.warn if is_lenient else self._problems.add
        record("unexpected-value", message, token.span, _expected(place))

    def validate_key(self, key: StringToken, place: Place) -> None:
        """Record an error for a key that the user may not choose."""
        self._validate(key, place)

    @property
    def problems(self) -> Problems:
        """Where errors go."""
        return self._problems


class _MappingReader:
    """Reads one mapping; where several definitions are possible, its keys narrow them down."""

    def __init__(self, reader: _TemplateReader, place: Place) -> None:
        self._reader = reader
        self._problems = reader.problems
        self._place = place
        self._candidates = list(place.mappings)
        first = place.mappings[0]
        is_loose = first.loose_key is not None and first.loose_value is not None
        self._key_place = place.inside(first.loose_key) if is_loose and first.loose_key else None
        self._value_place = (
            place.inside(first.loose_value) if is_loose and first.loose_value else None
        )
        self._is_all_loose = len(place.mappings) == 1 and not first.properties and is_loose
        self._seen: dict[str, StringToken] = {}
        self._has_expression_key = False

    def read(self, node: MappingNode) -> list[tuple[KeyToken, Token]]:
        entries: list[tuple[KeyToken, Token]] = []
        for key_node, value_node in node.pairs:
            key = self._reader.key(key_node, self._place)
            if key is None:
                continue
            place = self._place_of_value(key)
            if place is not None:
                entries.append((key, self._reader.read(value_node, place)))
        if not self._is_all_loose:
            self._check_definition(node)
        return entries

    def _place_of_value(self, key: KeyToken) -> Place | None:
        """Return what a key's value is described by; None where the key is wrong."""
        if not isinstance(key, StringToken):
            return self._place_of_expression_key(key)
        if key.value and not self._is_new(key):
            return None
        known = self._match(key.value)
        if known is not None:
            return self._place.inside(known.type)
        if self._key_place is not None:
            self._reader.validate_key(key, self._key_place)
            return self._value_place
        is_lenient = self._place.name == "workflow-dispatch"
        record = self._problems.warn if is_lenient else self._problems.add
        message = f"Unexpected value '{key.value}'"
        record("unexpected-key", message, key.span, self._known_keys(key))
        return None

    def _place_of_expression_key(self, key: ExpressionToken | InsertToken) -> Place | None:
        self._has_expression_key = True
        if not self._place.available:
            self._problems.add("expression-not-allowed", _NOT_ALLOWED, key.span)
            return None
        return self._value_place if self._is_all_loose else self._place.inside("any")

    def _is_new(self, key: StringToken) -> bool:
        folded = fold(key.value)
        if folded in self._seen:
            first = self._seen[folded].span.start
            self._problems.add(
                "duplicate-key",
                f"'{key.value}' is already defined",
                key.span,
                f"It was first defined in line {first.line}; keep one of them.",
            )
            return False
        self._seen[folded] = key
        return True

    def _match(self, name: str) -> Property | None:
        """Return the known key of that name, and drop the definitions that do not have it."""
        matching = [candidate for candidate in self._candidates if name in candidate.properties]
        if not matching:
            return None
        self._candidates = matching
        return matching[-1].properties[name]

    def _check_definition(self, node: MappingNode) -> None:
        if len(self._candidates) > 1:
            names = ", ".join(_distinguishing_keys(self._candidates))
            self._problems.add(
                "ambiguous-mapping",
                "There's not enough info to determine what you meant. "
                f"Add one of these properties: {names}",
                node.span,
            )
        elif not self._has_expression_key:
            self._check_required(node, self._candidates[0])

    def _check_required(self, node: MappingNode, definition: MappingDefinition) -> None:
        for name, known in definition.properties.items():
            if known.required and fold(name) not in self._seen:
                self._problems.add(
                    "missing-key", f"Required property is missing: {name}", node.span
                )

    def _known_keys(self, key: StringToken) -> str:
        odd = next((one for one in key.value if one.isspace() and one != " "), None)
        if odd is not None:
            return f"The key holds the character U+{ord(odd):04X}; indent with plain spaces."
        names = {name: None for candidate in self._candidates for name in candidate.properties}
        if len(self._problems.found) > MAX_SUGGESTIONS:
            return f"Known here: {', '.join(names)}."
        near = _nearest(key.value, list(names))
        if near is not None:
            return f"Did you mean '{near}'?"
        return f"Known here: {', '.join(names)}."


def literal_text(token: LiteralToken) -> str:
    """Return a literal as text, as GitHub writes it where a text is needed: `1.10` is `1.1`."""
    if isinstance(token, StringToken):
        return token.value
    if isinstance(token, NullToken):
        return ""
    return to_text(token.value)


def _accepts(place: Place, token: LiteralToken) -> bool:
    for definition in place.scalars:
        if isinstance(definition, StringDefinition):
            if isinstance(token, StringToken) and definition.accepts(token.value):
                return True
        elif isinstance(definition, BooleanDefinition):
            if isinstance(token, BooleanToken):
                return True
        elif isinstance(definition, NumberDefinition):
            if isinstance(token, NumberToken):
                return True
        elif isinstance(token, NullToken):
            return True
    return False


def _distinguishing_keys(candidates: list[MappingDefinition]) -> list[str]:
    counts: dict[str, int] = {}
    for candidate in candidates:
        for name in candidate.properties:
            counts[name] = counts.get(name, 0) + 1
    names = [name for name, count in counts.items() if count == 1]
    return sorted(name for name in names if name not in _UNSUGGESTED)


def _expected(place: Place) -> str:
    """Say what may stand in a place."""
    kinds: dict[str, None] = {}
    for definition in place.scalars:
        if isinstance(definition, StringDefinition):
            kinds[_expected_text(definition)] = None
        else:
            kinds[definition.kind] = None
    if place.sequence is not None:
        kinds["a sequence"] = None
    if place.mappings:
        kinds["a mapping"] = None
    return f"Expected here: {', '.join(kinds)}."


def _expected_text(definition: StringDefinition) -> str:
    if definition.constant is not None:
        return f"'{definition.constant}'"
    return "a text that is not empty" if definition.require_non_empty else "a text"


def _nearest(name: str, names: list[str]) -> str | None:
    from difflib import get_close_matches

    found = get_close_matches(name, names, n=1)
    return found[0] if found else None
