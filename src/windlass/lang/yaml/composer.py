"""Compose a tree of nodes from the events of libyaml's parser."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from windlass.lang.diagnostics import Diagnostic
from windlass.lang.positions import Position, Span
from windlass.lang.yaml.nodes import MappingNode, ScalarNode, ScalarStyle, SequenceNode
from windlass.lang.yaml.text import check_characters, decode
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from yaml.error import MarkedYAMLError

    from windlass.lang.yaml.nodes import Node

_STYLES = {
    None: ScalarStyle.PLAIN,
    "": ScalarStyle.PLAIN,
    "'": ScalarStyle.SINGLE_QUOTED,
    '"': ScalarStyle.DOUBLE_QUOTED,
    "|": ScalarStyle.LITERAL,
    ">": ScalarStyle.FOLDED,
}


MAX_NESTING = 1000
"""How deep a file is parsed at all; libyaml's time grows with the square of the depth."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds. `root` is None for an empty file and where there are diagnostics."""

    root: Node | None
    diagnostics: tuple[Diagnostic, ...]


def parse_yaml(path: str, data: bytes) -> Document:
    """Parse a file of one YAML document; `path` is only named in positions."""
    text = decode(path, data)
    if isinstance(text, Diagnostic):
        return Document(None, (text,))
    problems = check_characters(path, text)
    if problems:
        return Document(None, tuple(problems))
    composer = _Composer(path, text)
    composer.compose()
    root = None if composer.problems else composer.root
    return Document(root, tuple(composer.problems))


@dataclass(slots=True)
class _Open:
    """A sequence or mapping whose end has not been reached."""

    start: Position
    anchor: str | None
    is_mapping: bool
    is_flow: bool
    nodes: list[Node] = field(default_factory=list)


class _Composer:
    """Builds nodes bottom-up without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.root: Node | None = None
        self.problems: list[Diagnostic] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._documents = 0

    def compose(self) -> None:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for event in yaml.parse(self.text, Loader=loader):
                self._take(event)
                if len(self._open) > MAX_NESTING:
                    self._refuse_depth(event)
                    return
        except yaml.MarkedYAMLError as error:  # the others are about characters: checked before
            self.problems.append(_syntax_error(self.path, self.text, error))

    def _refuse_depth(self, event: Any) -> None:
        start, end = _position(event.start_mark), _position(event.end_mark)
        self._report("max-depth", "Maximum object depth exceeded", start, end)

    def _take(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._start(event, is_mapping=kind == "MappingStartEvent")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._end(event)
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent":
            self._document(event)

    def _document(self, event: Any) -> None:
        self._documents += 1
        self._anchors.clear()
        if self._documents == 2:
            start = _position(event.start_mark)
            end = Position(start.line, start.column + 3)
            hint = "A workflow file holds one document; remove '---' and what follows."
            self._report("yaml-documents", "The file holds several documents", start, end, hint)

    def _scalar(self, event: Any) -> None:
        value = event.value
        source = ""
        if (event.tag or "").startswith("!"):  # its own tag: that is what is wrong
            start = _position(event.start_mark)
        elif not value and not event.style:
            start = self._place_of_nothing(event)
        else:
            start = self._content_start(event)
        if "${{" in value:
            source = self.text[event.start_mark.index : event.end_mark.index]
        span = Span(self.path, start, max(start, _position(event.end_mark)))
        node = ScalarNode(value, _STYLES[event.style], event.tag, span, source)
        self._add(node, event.anchor)

    def _start(self, event: Any, *, is_mapping: bool) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # open: an alias to it would be a cycle
        start = self._content_start(event)
        self._open.append(_Open(start, event.anchor, is_mapping, bool(event.flow_style)))

    def _end(self, event: Any) -> None:
        opened = self._open.pop()
        nodes = opened.nodes
        end = _position(event.end_mark)
        if not opened.is_flow:  # libyaml ends a block where the next token starts
            end = nodes[-1].span.end
        span = Span(self.path, opened.start, end)
        node: Node
        if opened.is_mapping:
            node = MappingNode(tuple(zip(nodes[::2], nodes[1::2], strict=True)), span)
        else:
            node = SequenceNode(tuple(nodes), span)
        self._add(node, opened.anchor)

    def _alias(self, event: Any) -> None:
        name = event.anchor
        start, end = _position(event.start_mark), _position(event.end_mark)
        node = self._anchors.get(name)
        if node is None and name in self._anchors:
            message = f"The alias '*{name}' stands inside the value of its own anchor '&{name}'"
            self._report("yaml-alias-cycle", message, start, end)
        elif node is None:
            message = f"The alias '*{name}' refers to an anchor that has not been defined before it"
            hint = f"Write '&{name}' before the value it shall repeat."
            self._report("yaml-unknown-alias", message, start, end, hint)
        if node is None:
            node = ScalarNode("", ScalarStyle.PLAIN, None, Span(self.path, start, end))
        self._add(node, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].nodes.append(node)
        elif self.root is None:
            self.root = node

    def _content_start(self, event: Any) -> Position:
        """Return where the value starts: for libyaml `&anchor` and `!tag` are part of it."""
        start = event.start_mark
        if event.anchor is None and event.tag is None:
            return _position(start)
        written = self.text[start.index : event.end_mark.index]
        index = event.end_mark.index - len(_properties().sub("", written, count=1))
        lines = self.text.count("\n", start.index, index)
        if not lines:
            return Position(start.line + 1, start.column + 1 + index - start.index)
        return Position(start.line + 1 + lines, index - self.text.rfind("\n", 0, index))

    def _place_of_nothing(self, event: Any) -> Position:
        """Return where a value that was not written would start: after the blanks."""
        mark = event.end_mark
        rest = self.text[mark.index : mark.index + 1]
        blanks = 0
        while rest in (" ", "\t"):
            blanks += 1
            rest = self.text[mark.index + blanks : mark.index + blanks + 1]
        return Position(mark.line + 1, mark.column + 1 + blanks)

    def _report(
        self, code: str, message: str, start: Position, end: Position, hint: str | None = None
    ) -> None:
        span = Span(self.path, start, end)
        self.problems.append(Diagnostic(code=code, message=message, span=span, hint=hint))


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


@cache
def _properties() -> re.Pattern[str]:
    """Match an anchor and a tag, and the blanks and comments after them."""
    return re.compile(r"^(?:[&!]\S*|#[^\n]*|\s)*")


def _syntax_error(path: str, text: str, error: MarkedYAMLError) -> Diagnostic:
    """Return what libyaml says of a text; it always names a problem and its place."""
    mark: Any = error.problem_mark
    start = _position(mark)
    parts = ("The file is not valid YAML", error.context, error.problem)
    is_tab = text[mark.index : mark.index + 1] == "\t"
    return Diagnostic(
        code="yaml-syntax",
        message=": ".join(filter(None, parts)),
        span=Span(path, start, Position(start.line, start.column + 1)),
        hint="Indent with spaces; YAML does not allow tabs for indentation." if is_tab else None,
    )
