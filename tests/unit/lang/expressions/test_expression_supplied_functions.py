"""Functions beyond the built-in ones may stand anywhere, and both evaluators call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from windlass.lang.expressions import (
    UNKNOWN,
    Compiled,
    Fault,
    FunctionInfo,
    Trace,
    compile_expression,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONTEXTS: dict[str, Any] = {"text": "main", "list": ["a", "b"], "map": {"k": "v"}, "open": UNKNOWN}


def _give(arguments: Sequence[Any]) -> Any:
    return arguments[0]


FUNCTIONS: dict[str, Callable[[Sequence[Any]], Any]] = {"give": _give}
INFOS = {"give": FunctionInfo(1, None), "absent": FunctionInfo(0, None)}


def compiled(text: str) -> Compiled:
    found = compile_expression(text, contexts=CONTEXTS, functions=INFOS)
    assert isinstance(found, Compiled), found
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("give(text)", "main"),
        ("!give(text)", False),
        ("give(list).*", ["a", "b"]),
        ("give(map).k", "v"),
        ("give(list)[1]", "b"),
        ("list[give(1)]", "b"),
        ("give(list)[give(0)]", "a"),
        ("give(text) == 'MAIN'", True),
        ("give(text) != 'main'", False),
        ("give(1) < 2", True),
        ("1 < give(2)", True),
        ("give(text) && give('x')", "x"),
        ("give('') || give('x')", "x"),
        ("give(1) && give(2) && give(3)", 3),
        ("give(0) || give('') || give('x')", "x"),
        ("case(give(true), give('x'), give('y'))", "x"),
        ("case(give(false), give('x'), give('y'))", "y"),
        ("format('{0}-{1}', give(text), 1)", "main-1"),
        ("give(give(text))", "main"),
        ("give((give(text)), 2)", "main"),
    ],
)
def test_a_function_may_stand_anywhere(text: str, expected: Any) -> None:
    """Every part of an expression can call the functions of its evaluation and see its contexts."""
    assert compiled(text).evaluate(CONTEXTS, FUNCTIONS) == expected
    assert compiled(text).evaluate_partial(CONTEXTS, FUNCTIONS) == expected
    assert compiled(text).decide(CONTEXTS, FUNCTIONS) is bool(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("give(open)", UNKNOWN),
        ("give(1, open)", UNKNOWN),
        ("absent()", UNKNOWN),
        ("absent() && false", UNKNOWN),
        ("false && absent()", False),
        ("give(absent())", UNKNOWN),
        ("give(text) == 'main' || absent()", True),
    ],
)
def test_a_function_not_given_is_unknown(text: str, expected: Any) -> None:
    """So is one with an unknown argument; what does not depend on it is known all the same."""
    assert compiled(text).evaluate_partial(CONTEXTS, FUNCTIONS) == expected


def test_the_fault_of_a_function_is_that_of_the_expression() -> None:
    """A fault returned is told apart from a value by both evaluators."""
    fault = Fault("evaluation", "no such file")
    functions = {"give": lambda _: fault}

    assert compiled("give(1) || true").evaluate(CONTEXTS, functions) == fault
    assert compiled("give(1) || true").explain(CONTEXTS, functions) == fault
    assert compiled("give(1)").decide(CONTEXTS, functions) == fault


def test_the_trace_of_a_function_is_its_call() -> None:
    """A call is traced under the function's own name with its arguments as parts."""
    trace = compiled("GIVE(text, 2)").explain(CONTEXTS, FUNCTIONS)

    assert trace == Trace(
        "GIVE(text, 2)",
        "give",
        "main",
        (Trace("text", "", "main"), Trace("2", "", 2, is_constant=True)),
    )
