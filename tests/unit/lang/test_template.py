"""Tokens become values: expressions evaluated, lists spliced, mappings merged, limits kept."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.lang.expressions import UNKNOWN
from windlass.lang.positions import Position, Span
from windlass.lang.template import (
    MAXIMUM_BYTES,
    MAXIMUM_DEPTH,
    TemplateFault,
    evaluate_token,
    evaluate_token_partial,
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
    Token,
)

SPAN = Span("ci.yml", Position(1, 1), Position(1, 9))
INSERT = InsertToken(SPAN)
CONTEXTS: dict[str, Any] = {
    "x": {"list": [1, "two"], "map": {"a": 1, "b": [2]}, "text": "t", "n": 1.5, "open": UNKNOWN},
}


def text(value: str) -> StringToken:
    return StringToken(value, SPAN)


def expression(value: str, line: int = 1) -> ExpressionToken:
    span = Span("ci.yml", Position(line, 1), Position(line, 9))
    return ExpressionToken(value, f"${{{{ {value} }}}}", span)


def sequence(*items: Token) -> SequenceToken:
    return SequenceToken(items, SPAN)


def mapping(*entries: Any) -> MappingToken:
    return MappingToken(tuple(entries), SPAN)


@pytest.mark.requirement("A27")
@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (NullToken(SPAN), None),
        (BooleanToken(True, SPAN), True),
        (NumberToken(31, "0x1F", SPAN), 31),
        (text("plain"), "plain"),
        (expression("x.n"), 1.5),
        (expression("x.map"), {"a": 1, "b": [2]}),
        (expression("X.LIST"), [1, "two"]),
        (expression("format('{0}-{1}', x.n, x.text)"), "1.5-t"),
        (sequence(expression("x.list"), text("three")), [1, "two", "three"]),
        (sequence(sequence(expression("x.list"))), [[1, "two"]]),
        (sequence(expression("x.map.*")), [1, [2]]),
        (sequence(expression("x.missing")), [None]),
        (sequence(expression("x.map")), [{"a": 1, "b": [2]}]),
        (mapping((text("k"), expression("x.list"))), {"k": [1, "two"]}),
        (mapping((expression("x.text"), text("v"))), {"t": "v"}),
        (mapping((expression("x.n"), text("v"))), {"1.5": "v"}),
        (mapping((expression("x.missing"), text("v"))), {"": "v"}),
        (
            mapping((text("z"), text("v")), (INSERT, expression("x.map")), (text("c"), text("w"))),
            {"z": "v", "a": 1, "b": [2], "c": "w"},
        ),
        (
            mapping((INSERT, mapping((text("p"), expression("x.n")))), (text("q"), text("w"))),
            {"p": 1.5, "q": "w"},
        ),
    ],
)
def test_values(token: Token, expected: Any) -> None:
    """A token stands for the value GitHub's template evaluator makes of it."""
    assert evaluate_token(token, CONTEXTS) == expected


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (mapping((text("A"), text("v")), (INSERT, expression("x.map"))), "'a' is already defined"),
        (
            mapping((text("T"), text("v")), (expression("x.text"), text("w"))),
            "'t' is already defined",
        ),
        (mapping((INSERT, expression("x.list"))), "Expected a mapping"),
        (mapping((INSERT, text("no"))), "Expected a mapping"),
        (mapping((expression("x.map"), text("v"))), "Expected a string"),
        (sequence(INSERT), "The expression directive 'insert' is not allowed here"),
        (expression("fromJSON('')"), "empty input"),
        (
            expression("y"),
            "Unrecognized named-value: 'y'. Located at position 1 within expression: y",
        ),
    ],
)
def test_faults(token: Token, message: str) -> None:
    """What cannot be made has GitHub's message."""
    found = evaluate_token(token, CONTEXTS)

    assert isinstance(found, TemplateFault)
    assert found.fault.message == message


def test_a_fault_points_at_its_expression() -> None:
    """The place of a fault is that of the expression, not of the whole."""
    found = evaluate_token(
        sequence(expression("x.n", line=3), expression("fromJSON('')", line=4)), CONTEXTS
    )

    assert isinstance(found, TemplateFault)
    assert found.span.start == Position(4, 1)


def test_functions_are_those_given() -> None:
    """Only the given functions may be called, in any case, with any number of arguments."""
    token = expression("HASHFILES('a', 'b')")

    assert evaluate_token(token, {}, {"hashFiles": list}) == ["a", "b"]
    assert isinstance(evaluate_token(token, {}), TemplateFault)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (expression("x.open"), UNKNOWN),
        (expression("x.open && false || 1"), 1),
        (sequence(text("a"), expression("x.open")), ["a", UNKNOWN]),
        (
            mapping((text("a"), expression("x.open")), (text("b"), text("c"))),
            {"a": UNKNOWN, "b": "c"},
        ),
        (mapping((expression("x.open"), text("a"))), UNKNOWN),
        (mapping((INSERT, expression("x.open")), (text("b"), text("c"))), UNKNOWN),
        (sequence(mapping((INSERT, expression("x.open")))), [UNKNOWN]),
    ],
)
def test_partial_values(token: Token, expected: Any) -> None:
    """What depends on a result still to come is unknown, and nothing else."""
    assert evaluate_token_partial(token, CONTEXTS) == expected


def _nested(depth: int) -> Token:
    token: Token = text("x")
    for _ in range(depth):
        token = sequence(token)
    return token


def test_depth_is_limited() -> None:
    """Lists and mappings nest at most so deep, written or evaluated."""
    deep: Any = "x"
    for _ in range(MAXIMUM_DEPTH):
        deep = [deep]

    assert not isinstance(evaluate_token(_nested(MAXIMUM_DEPTH), {}), TemplateFault)
    assert evaluate_token(expression("deep"), {"deep": deep}) == deep
    for token in (_nested(MAXIMUM_DEPTH + 1), mapping((text("k"), expression("deep")))):
        found = evaluate_token(token, {"deep": deep})
        assert isinstance(found, TemplateFault)
        assert found.fault.message == "Maximum object depth exceeded"


def test_size_is_limited() -> None:
    """Two bytes a character and what objects take must stay below 10 MiB."""
    half = "x" * (MAXIMUM_BYTES // 4)

    assert evaluate_token(expression("x"), {"x": half}) == half
    found = evaluate_token(sequence(expression("x"), expression("x")), {"x": half})
    assert isinstance(found, TemplateFault)
    assert found.fault.message == "Maximum object size exceeded"
