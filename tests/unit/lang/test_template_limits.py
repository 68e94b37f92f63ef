"""Where a template's faults point, how its size is counted, and what counts as the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from windlass.lang.expressions import UNKNOWN, Fault
from windlass.lang.positions import Position, Span
from windlass.lang.template import (
    MAXIMUM_BYTES,
    MAXIMUM_DEPTH,
    TemplateFault,
    evaluate_token,
    evaluate_token_partial,
)
from windlass.lang.tokens import (
    ExpressionToken,
    InsertToken,
    MappingToken,
    SequenceToken,
    StringToken,
    Token,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

OBJECT, STRING = 24, 26
"""What the runner counts for a token, and for a text beside its characters (TemplateMemory.cs)."""


def span(line: int) -> Span:
    return Span("ci.yml", Position(line, 1), Position(line, 9))


def text(value: str, line: int = 1) -> StringToken:
    return StringToken(value, span(line))


def expression(value: str, line: int = 1) -> ExpressionToken:
    return ExpressionToken(value, f"${{{{ {value} }}}}", span(line))


def sequence(*items: Token, line: int = 1) -> SequenceToken:
    return SequenceToken(items, span(line))


def mapping(*entries: Any, line: int = 1) -> MappingToken:
    return MappingToken(tuple(entries), span(line))


def insert(line: int = 1) -> InsertToken:
    return InsertToken(span(line))


HUGE = "x" * (MAXIMUM_BYTES // 2)
FULL = "x" * ((MAXIMUM_BYTES - 2 * OBJECT - STRING) // 2)
DEEP: Any = "x"
DEEP_MAP: Any = "x"
for _ in range(MAXIMUM_DEPTH + 1):
    DEEP, DEEP_MAP = [DEEP], {"k": DEEP_MAP}
CONTEXTS: dict[str, Any] = {
    "map": {"a": 1},
    "list": [1],
    "huge": HUGE,
    "deep": DEEP,
    "deep_map": DEEP_MAP,
}


@pytest.mark.parametrize(
    ("token", "message", "line"),
    [
        (
            sequence(text("a"), insert(7)),
            "The expression directive 'insert' is not allowed here",
            7,
        ),
        (mapping((text("a", 2), text("v", 3)), (text("A", 4), text("w", 5))), "'A' is already", 4),
        (mapping((text("A", 2), text("v", 3)), (insert(4), expression("map", 5))), "'a' is", 5),
        (mapping((insert(2), expression("list", 3))), "Expected a mapping", 3),
        (mapping((expression("list", 2), text("v", 3))), "Expected a string", 2),
        (sequence(text(HUGE, 2), line=1), "Maximum object size exceeded", 2),
        (sequence(expression("huge", 2), line=1), "Maximum object size exceeded", 2),
        (sequence(expression("deep", 2), line=1), "Maximum object depth exceeded", 2),
        (sequence(expression("deep_map", 2), line=1), "Maximum object depth exceeded", 2),
        (sequence(text(FULL, 2), sequence(line=3)), "Maximum object size exceeded", 3),
        (sequence(text(FULL, 2), mapping(line=3)), "Maximum object size exceeded", 3),
    ],
)
def test_a_fault_points_at_what_is_to_blame(token: Token, message: str, line: int) -> None:
    """Every fault is one of evaluation and has the place of the key or value that caused it."""
    found = evaluate_token(token, CONTEXTS)

    assert isinstance(found, TemplateFault)
    assert found.fault.kind == "evaluation"
    assert found.fault.message.startswith(message)
    assert found.span == span(line)


def _nested(depth: int, kind: str) -> Token:
    token: Token = text("x")
    for line in range(depth, 0, -1):
        token = (
            sequence(token, line=line) if kind == "list" else mapping((text("k"), token), line=line)
        )
    return token


@pytest.mark.parametrize("kind", ["list", "mapping"])
def test_written_depth_is_limited(kind: str) -> None:
    """So many lists or mappings may be written in one another; the first too many is named."""
    assert not isinstance(evaluate_token(_nested(MAXIMUM_DEPTH, kind), {}), TemplateFault)

    assert evaluate_token(_nested(MAXIMUM_DEPTH + 1, kind), {}) == TemplateFault(
        Fault("evaluation", "Maximum object depth exceeded"), span(MAXIMUM_DEPTH + 1)
    )


@pytest.mark.parametrize("kind", ["list", "mapping"])
def test_depth_goes_on_inside_an_expression(kind: str) -> None:
    """What an expression yields nests within what is written around it."""
    value: Any = 1
    for _ in range(MAXIMUM_DEPTH - 1):
        value = [value] if kind == "list" else {"k": value}
    outer = mapping((text("k"), expression("value")))

    assert evaluate_token(outer, {"value": value}) == {"k": value}
    for token in (sequence(outer), mapping((text("k"), outer))):
        assert isinstance(evaluate_token(token, {"value": value}), TemplateFault)


def _of_size(size: int) -> str:
    """Return a text for which the runner counts so many bytes."""
    assert size % 2 == 0
    return "x" * ((size - OBJECT - STRING) // 2)


@pytest.mark.parametrize(
    ("token", "context", "besides"),
    [
        (text("FILL"), None, 0),
        (expression("fill"), "FILL", 0),
        (sequence(text("FILL")), None, OBJECT),
        (sequence(sequence(), text("FILL")), None, 2 * OBJECT),
        (sequence(text("ab"), text("FILL")), None, OBJECT + OBJECT + STRING + 4),
        (expression("fill"), ["FILL"], OBJECT),
        (expression("fill"), ["FILL", "ab"], OBJECT + OBJECT + STRING + 4),
        (expression("fill"), {"ab": "FILL"}, OBJECT + OBJECT + STRING + 4),
        (expression("fill"), [[], {}, "FILL"], 3 * OBJECT),
    ],
    ids=range(9),
)
def test_size_is_counted_to_the_byte(token: Token, context: Any, besides: int) -> None:
    """A result of exactly the limit is allowed, two bytes more are not."""
    fits = _of_size(MAXIMUM_BYTES - besides)

    assert not isinstance(_evaluate_filled(token, context, fits), TemplateFault)
    found = _evaluate_filled(token, context, fits + "x")
    assert isinstance(found, TemplateFault)
    assert found.fault == Fault("evaluation", "Maximum object size exceeded")


def _evaluate_filled(token: Token, context: Any, filling: str) -> Any:
    return evaluate_token(_fill_token(token, filling), {"fill": _fill(context, filling)})


def _fill_token(token: Token, filling: str) -> Token:
    match token:
        case StringToken("FILL"):
            return text(filling)
        case SequenceToken(items):
            return sequence(*(_fill_token(item, filling) for item in items))
        case _:
            return token


def _fill(value: Any, filling: str) -> Any:
    if isinstance(value, list):
        return [_fill(item, filling) for item in value]
    if isinstance(value, dict):
        return {key: _fill(item, filling) for key, item in value.items()}
    return filling if value == "FILL" else value


@pytest.mark.parametrize(("first", "second"), [("ß", "SS"), ("ı", "I"), ("ſ", "s")])
def test_keys_differ_by_single_characters(first: str, second: str) -> None:
    """Keys are equal as .NET's OrdinalIgnoreCase has it, which never changes a text's length."""
    token = mapping((text(first), text("1")), (text(second), text("2")))

    assert evaluate_token(token, {}) == {first: "1", second: "2"}


@pytest.mark.parametrize(("first", "second"), [("é", "É"), ("σ", "ς"), ("\u00b5", "\u03bc")])
def test_keys_are_equal_in_upper_case(first: str, second: str) -> None:
    """Two keys with the same upper case are one, whatever their lower case."""
    token = mapping((text(first), text("1")), (text(second), text("2")))

    assert evaluate_token(token, {}) == TemplateFault(
        Fault("evaluation", f"'{second}' is already defined"), span(1)
    )


def _first(arguments: Sequence[Any]) -> Any:
    return arguments[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("first('a')", "a"),
        ("first(open)", UNKNOWN),
        ("open && 'a' || 'b'", UNKNOWN),
        ("open == 'x'", UNKNOWN),
        ("open.a", UNKNOWN),
    ],
)
def test_partial_values_call_functions(value: str, expected: Any) -> None:
    """An expression with an open part is unknown, and functions are called with what is known."""
    found = evaluate_token_partial(expression(value), {"open": UNKNOWN}, {"first": _first})

    assert found == expected
