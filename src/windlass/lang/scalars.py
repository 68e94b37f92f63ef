"""Scalars of a template: the `${{ … }}` inside them become expressions.

Source: actions/languageservices, workflow-parser/src/templates/template-reader.ts (parseScalar) and
actions/runner, WorkflowParser/ObjectTemplating/TemplateReader.cs, which reads the value of a block
scalar and not its indented source.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from windlass.lang.expressions import Fault, FunctionInfo, parse
from windlass.lang.positions import Position
from windlass.lang.schema.definitions import UNLIMITED
from windlass.lang.tokens import Embedded, ExpressionToken, InsertToken, StringToken
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.positions import Span
    from windlass.lang.problems import Problems
    from windlass.lang.schema.definitions import Availability

OPEN = "${{"
MAX_EXPRESSION_LENGTH = 21_000
"""actions/runner, Expressions/Sdk/ExpressionConstants.cs."""

_NOT_CLOSED = (
    "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence"
    " was not found."
)
_DIRECTIVE_INSIDE_TEXT = (
    "The directive 'insert' is not allowed in this context. Directives are not supported for "
    "expressions that are embedded within a string. Directives are only supported when the entire "
    "value is an expression."
)


@dataclass(frozen=True, slots=True)
class _Expression:
    """A valid expression between `${{` and `}}`, without the blanks around it."""

    text: str


class _Insert:
    """The directive `insert` between `${{` and `}}`."""


def parse_scalar(
    text: str, span: Span, source: str, available: Availability, problems: Problems
) -> StringToken | ExpressionToken | InsertToken:
    """Return the token of a text that may hold expressions.

    `source` is the text as it was written. Where an expression is wrong, that is recorded and the
    token is the text itself.
    """
    segments = _segments(text, span, available, problems)
    if segments is None:
        return StringToken(text, span)
    if len(segments) == 1:
        only = segments[0]
        if isinstance(only, _Insert):
            return InsertToken(span)
        if isinstance(only, _Expression):
            literal = _string_literal(only.text)
            if literal is not None:
                return StringToken(literal, span)
    expressions = [segment for segment in segments if isinstance(segment, _Expression)]
    combined = expressions[0].text if len(segments) == 1 else _format_call(segments)
    if len(combined) > MAX_EXPRESSION_LENGTH:
        problems.add(
            "expression-too-long",
            f"Exceeded max expression length {MAX_EXPRESSION_LENGTH}",
            span,
            f"With its text the expression has {len(combined)} characters; move the text to a "
            "file, or the expressions to `env`.",
        )
        return StringToken(text, span)
    embedded = _embedded(expressions, span, source)
    return ExpressionToken(combined, text, span, embedded)


def check_expression(text: str, available: Availability) -> str | None:
    """Return what is wrong with an expression in a place, in GitHub's words, or None."""
    return _fault(text, available)


@lru_cache(maxsize=4096)
def _fault(text: str, available: Availability) -> str | None:
    tree = parse(text, contexts=available.contexts, functions=_functions(available))
    if not isinstance(tree, Fault):
        return None
    if tree.kind == "parsing":  # GitHub names the place only where it cannot read a symbol at all
        return tree.message.partition(". Located at position")[0]
    return tree.message


@cache
def _functions(available: Availability) -> dict[str, FunctionInfo]:
    return function_infos(available)


def function_infos(available: Availability) -> dict[str, FunctionInfo]:
    """Return the extra functions of a place in the form the expression parser takes."""
    return {
        function.name: FunctionInfo(
            function.minimum, None if function.maximum == UNLIMITED else function.maximum
        )
        for function in available.functions
    }


def _segments(
    text: str, span: Span, available: Availability, problems: Problems
) -> list[str | _Expression | _Insert] | None:
    """Split a text into plain texts and expressions; None where there was an error."""
    segments: list[str | _Expression | _Insert] = []
    is_valid = True
    index = 0
    while (start := text.find(OPEN, index)) >= 0:
        if start > index:
            segments.append(text[index:start])
        end = _find_end(text, start + len(OPEN))
        if end is None:
            hint = "Close it with }}, or write ${{ '${{' }} for the characters themselves."
            problems.add("expression-not-closed", _NOT_CLOSED, span, hint)
            return None
        segment = _read_expression(text[start + len(OPEN) : end - 2], span, available, problems)
        if segment is None:
            is_valid = False
        elif isinstance(segment, _Insert) and (start > 0 or end < len(text)):
            problems.add("directive-not-allowed", _DIRECTIVE_INSIDE_TEXT, span)
            return None
        else:
            segments.append(segment)
        index = end
    if index < len(text):
        segments.append(text[index:])
    return segments if is_valid else None


def _find_end(text: str, index: int) -> int | None:
    """Return the index after the `}}` that closes an expression; quotes hide braces."""
    in_string = False
    for match in _quotes_and_braces().finditer(text, index):
        if match.group() == "'":
            in_string = not in_string
        elif not in_string:
            return match.end()
    return None


@cache
def _quotes_and_braces() -> re.Pattern[str]:
    return re.compile(r"'|\}\}")


def _read_expression(
    written: str, span: Span, available: Availability, problems: Problems
) -> _Expression | _Insert | None:
    text = written.strip()
    if not text:
        problems.add(
            "expression-empty",
            "An expression was expected",
            span,
            "Write one between ${{ and }}, for instance ${{ github.ref }}.",
        )
        return None
    if text == "insert":
        return _Insert()
    if text.startswith("insert") and text[len("insert")].isspace():
        count = len(text.split()) - 1
        problems.add(
            "directive-parameters",
            "Exactly 0 parameter(s) were expected following the directive 'insert'. "
            f"Actual parameter count: {count}",
            span,
        )
        return None
    message = check_expression(text, available)
    if message is not None:
        problems.add("expression", message, span, _hint(message, available))
        return None
    return _Expression(text)


def _hint(message: str, available: Availability) -> str | None:
    if message.startswith("Unrecognized named-value"):
        if not available.contexts:
            return "No context can be used here."
        return f"Available here: {', '.join(available.contexts)}."
    return None


def _string_literal(expression: str) -> str | None:
    """Return the text of an expression that is one string literal, else None."""
    if len(expression) < 2 or expression[0] != "'" or expression[-1] != "'":
        return None
    inner = expression[1:-1]
    if "'" in inner.replace("''", ""):
        return None
    return inner.replace("''", "'")


def _format_call(segments: list[str | _Expression | _Insert]) -> str:
    template: list[str] = []
    arguments: list[str] = []
    for segment in segments:
        if isinstance(segment, str):
            template.append(segment.replace("'", "''").replace("{", "{{").replace("}", "}}"))
        elif isinstance(segment, _Expression):
            template.append(f"{{{len(arguments)}}}")
            arguments.append(segment.text)
    return f"format('{''.join(template)}'{''.join(', ' + argument for argument in arguments)})"


def _embedded(expressions: list[_Expression], span: Span, source: str) -> tuple[Embedded, ...]:
    """Return the expressions with their places in the file.

    A place is looked up in the text as written, where escapes and folding cannot shift it.
    """
    found: list[Embedded] = []
    index = 0
    for expression in expressions:
        index = source.find(OPEN, index)
        if index < 0:
            found.append(Embedded(expression.text, span.start))
            index = len(source)
            continue
        index += len(OPEN)
        while source[index : index + 1].isspace():
            index += 1
        found.append(Embedded(expression.text, _place(span, source, index)))
    return tuple(found)


def _place(span: Span, source: str, index: int) -> Position:
    line = source.count("\n", 0, index)
    if line == 0:
        return Position(span.start.line, span.start.column + index)
    return Position(span.start.line + line, index - source.rfind("\n", 0, index))
