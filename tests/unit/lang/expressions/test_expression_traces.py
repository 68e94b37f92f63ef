"""What a trace holds, part by part, for every form of expression."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.lang.expressions import (
    UNKNOWN,
    Compiled,
    Fault,
    PropertyReference,
    Trace,
    compile_expression,
    parse,
    references,
)
from windlass.lang.expressions.syntax import Context, Index, Wildcard

CONTEXTS: dict[str, Any] = {"t": True, "s": "text", "n": 2, "list": ["x", "y"], "u": UNKNOWN}

T = Trace("t", "", True)
S = Trace("s", "", "text")
U = Trace("u", "", UNKNOWN)


def constant(expression: str, value: Any) -> Trace:
    return Trace(expression, "", value, is_constant=True)


def compiled(text: str) -> Compiled:
    found = compile_expression(text, contexts=CONTEXTS)
    assert isinstance(found, Compiled), found
    return found


@pytest.mark.parametrize(
    "expected",
    [
        S,
        constant("'x'", "x"),
        Trace("list[0]", "", "x"),
        Trace("list.*", "", ["x", "y"]),
        Trace("!t", "!", False, (T,)),
        Trace("s == 'x'", "==", False, (S, constant("'x'", "x"))),
        Trace("t && s", "&&", "text", (T, S)),
        Trace("u == 1", "==", UNKNOWN, (U, constant("1", 1))),
        Trace("contains(s, 'x')", "contains", True, (S, constant("'x'", "x"))),
        Trace("join(list)", "join", "x,y", (Trace("list", "", ["x", "y"]),)),
        Trace("format('{0}', u)", "format", UNKNOWN, (constant("'{0}'", "{0}"), U)),
        Trace("case(t, s, u)", "case", "text", (T, S)),
        Trace("case(u, s, t)", "case", UNKNOWN, (U,)),
        Trace(
            "case(!t, s, t, n, u)",
            "case",
            2,
            (Trace("!t", "!", False, (T,)), T, Trace("n", "", 2)),
        ),
        Trace("case(!t, s, u)", "case", UNKNOWN, (Trace("!t", "!", False, (T,)), U)),
    ],
    ids=lambda trace: trace.expression,
)
def test_a_trace(expected: Trace) -> None:
    """A trace names its expression, operator and value, and holds the parts that were evaluated."""
    assert compiled(expected.expression).explain(CONTEXTS) == expected


@pytest.mark.parametrize(
    "text",
    ["u && fromJSON('')", "u || fromJSON('')", "!(u && fromJSON(''))", "u && fromJSON('') && t"],
)
def test_a_fault_that_may_never_happen_decides_nothing(text: str) -> None:
    """Behind an open operand a fault is as unknown as a value."""
    assert compiled(text).evaluate_partial(CONTEXTS) is UNKNOWN
    assert compiled(text).decide(CONTEXTS) is UNKNOWN


def test_a_declared_context_without_a_value_is_null() -> None:
    """A context that may be named but is not given is null, and traced as such."""
    found = compile_expression("needs || needs.x", contexts=["needs"])
    alone = compile_expression("needs", contexts=["needs"])
    assert isinstance(found, Compiled)
    assert isinstance(alone, Compiled)

    assert alone.evaluate({}) is None
    assert found.explain({}) == Trace(
        "needs || needs.x", "||", None, (Trace("needs", "", None), Trace("needs.x", "", None))
    )


def test_references_know_their_place() -> None:
    """A property says where in the text it stands."""
    node = parse("t && FORMAT('{0}', s.x)", contexts=["t", "s"])
    assert not isinstance(node, Fault)

    assert references(node) == (
        PropertyReference(("t",), 0, 1),
        PropertyReference(("s", "x"), 19, 22),
    )


@pytest.mark.parametrize(("text", "star"), [("list.*", 5), ("list[*]", 5), ("list[ * ]", 6)])
def test_a_wildcard_knows_its_place(text: str, star: int) -> None:
    """The star of a filter stands where it is written, the filter around all of it."""
    node = parse(text, contexts=["list"])

    assert node == Index(Context("list", 0, 4), Wildcard(star, star + 1), 0, len(text))
