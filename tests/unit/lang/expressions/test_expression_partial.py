"""Expressions over results still to come, and why a condition is what it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.lang.expressions import UNKNOWN, Compiled, Fault, Trace, Unknown, compile_expression

CONTEXTS: dict[str, Any] = {
    "u": UNKNOWN,
    "needs": {
        "build": {"result": "success", "outputs": UNKNOWN},
        "test": {"result": UNKNOWN, "outputs": {"a": "1", "b": UNKNOWN}},
    },
    "list": ["x", UNKNOWN],
    "t": True,
    "s": "text",
}


def compiled(text: str, contexts: Any = CONTEXTS) -> Compiled:
    found = compile_expression(text, contexts=contexts)
    assert isinstance(found, Compiled), found
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("false && u", False),
        ("true || u", True),
        ("u && false", UNKNOWN),
        ("u || true", UNKNOWN),
        ("true && u", UNKNOWN),
        ("!u", UNKNOWN),
        ("!(u && false)", True),
        ("!(u || 'x')", False),
        ("(u && false) || 'default'", "default"),
        ("u == 1", UNKNOWN),
        ("u.a.b", UNKNOWN),
        ("s[u]", UNKNOWN),
        ("needs.build.result", "success"),
        ("needs.build.result == 'failure'", False),
        ("needs.build.outputs.version", UNKNOWN),
        ("needs.test.outputs.a", "1"),
        ("needs.test.outputs.b", UNKNOWN),
        ("needs.*.result", ["success", UNKNOWN]),
        ("needs.*.outputs.a", UNKNOWN),
        ("contains(needs.*.result, 'success')", True),
        ("contains(needs.*.result, 'failure')", UNKNOWN),
        ("contains(u, 'x')", UNKNOWN),
        ("join(list)", UNKNOWN),
        ("join(list, u)", UNKNOWN),
        ("format('{0}', u)", UNKNOWN),
        ("format('{0}', list)", "Array"),
        ("toJSON(needs)", UNKNOWN),
        ("toJSON(s)", '"text"'),
        ("fromJSON(u)", UNKNOWN),
        ("case(t, 1, u, 2, 3)", 1),
        ("case(u, 1, 2)", UNKNOWN),
        ("case(t, u, 2)", UNKNOWN),
        ("u && fromJSON('')", UNKNOWN),
        ("case(u, fromJSON(''), 2)", UNKNOWN),
    ],
)
def test_partial_value(text: str, expected: Any) -> None:
    """A value is known exactly where no unknown could change it."""
    assert compiled(text).evaluate_partial(CONTEXTS) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("u && false", False),
        ("u || true", True),
        ("u == 1 && needs.build.result == 'failure'", False),
        ("u", UNKNOWN),
        ("u && true", UNKNOWN),
        ("s", True),
    ],
)
def test_decision_may_be_sure_without_the_value(text: str, expected: Any) -> None:
    """Whether a condition holds can be known although its value is not."""
    assert compiled(text).decide(CONTEXTS) == expected


def test_a_certain_fault_is_a_fault() -> None:
    """What will fail whatever the unknown values are fails now."""
    fault = compiled("fromJSON('') && u").evaluate_partial(CONTEXTS)

    assert fault == Fault("evaluation", "empty input")
    assert compiled("fromJSON('')").decide(CONTEXTS) == fault
    assert compiled("s[fromJSON('')]").explain(CONTEXTS) == Fault(
        "evaluation", "could not evaluate index for index access: empty input"
    )
    assert isinstance(compiled("case(1, 2, 3)").decide(CONTEXTS), Fault)


FILLED = st.sampled_from([None, True, False, 0, 1, "", "x", "success", "1", [], ["x"], {}])
PIECES = st.sampled_from(
    [
        "u",
        "v",
        "true",
        "false",
        "null",
        "''",
        "'x'",
        "1",
        "list",
        "m.u",
        "m.k",
        "list.*",
        "fromJSON('')",
    ]
)


def _combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(["&&", "||", "==", "!=", "<"])
    return st.one_of(
        st.tuples(inner, operator, inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda text: f"!({text})"),
        st.tuples(inner, inner).map(lambda parts: f"contains({', '.join(parts)})"),
        st.tuples(inner, inner, inner).map(
            lambda parts: f"case(!({parts[0]}), {parts[1]}, {parts[2]})"
        ),
        inner.map(lambda text: f"join({text})"),
        inner.map(lambda text: f"toJSON({text})"),
        inner.map(lambda text: f"format('{{0}}', {text})"),
    )


EXPRESSIONS = st.recursive(PIECES, _combine, max_leaves=6)


def _contexts(first: Any, second: Any) -> dict[str, Any]:
    return {"u": first, "v": second, "list": ["x", first], "m": {"u": second, "k": 1}}


@given(EXPRESSIONS, FILLED, FILLED)
def test_partial_is_never_wrong(text: str, first: Any, second: Any) -> None:
    """A definite partial value or fault is what evaluation gives for any values of the unknowns."""
    unknown = _contexts(UNKNOWN, UNKNOWN)
    found = compiled(text, unknown)
    partial = found.evaluate_partial(unknown)
    decision = found.decide(unknown)
    concrete = _contexts(first, second)
    value = found.evaluate(concrete)

    if not isinstance(partial, Unknown) and not _holds_unknown(partial):
        assert partial == value
    if isinstance(decision, bool):
        assert isinstance(value, Fault) or bool(value or isinstance(value, dict | list)) is decision


def _holds_unknown(value: Any) -> bool:
    return isinstance(value, list) and any(item is UNKNOWN for item in value)


@given(EXPRESSIONS, FILLED, FILLED)
def test_partial_without_unknowns_is_evaluation(text: str, first: Any, second: Any) -> None:
    """The tracing evaluator and the compiled one are the same language."""
    contexts = _contexts(first, second)
    found = compiled(text, contexts)

    assert found.evaluate_partial(contexts) == found.evaluate(contexts)


def explain(text: str, contexts: Any = CONTEXTS) -> Trace:
    trace = compiled(text, contexts).explain(contexts)
    assert isinstance(trace, Trace)
    return trace


@pytest.mark.parametrize(
    ("text", "deciding", "values"),
    [
        (
            "github.ref == 'main' && needs.test.result == 'failure'",
            "needs.test.result == 'failure'",
            (("needs.test.result", "success"),),
        ),
        (
            "github.ref == 'dev' && needs.test.result == 'failure'",
            "github.ref == 'dev'",
            (("github.ref", "main"),),
        ),
        ("!(github.ref == 'main')", "github.ref == 'main'", (("github.ref", "main"),)),
        ("false || github.fork", "false || github.fork", (("github.fork", None),)),
        ("github.ref == 'x' || github.ref", "github.ref", (("github.ref", "main"),)),
        (
            "contains(needs.*.result, 'failure')",
            "contains(needs.*.result, 'failure')",
            (("contains(needs.*.result, 'failure')", False),),
        ),
        ("false", "false", ()),
        (
            "needs.test.result == github.ref",
            "needs.test.result == github.ref",
            (
                ("needs.test.result", "success"),
                ("github.ref", "main"),
            ),
        ),
    ],
)
def test_the_deciding_part(text: str, deciding: str, values: Any) -> None:
    """A trace names the smallest part that made the condition what it is, and the values in it."""
    contexts = {"github": {"ref": "main"}, "needs": {"test": {"result": "success"}}}

    found = explain(text, contexts).deciding()

    assert found.expression == deciding
    assert found.values() == values


def test_the_deciding_part_may_be_unknown() -> None:
    """Of an open condition the trace names the part that is open."""
    assert explain("t && needs.test.result == 'failure'").deciding().expression == (
        "needs.test.result == 'failure'"
    )


def test_parts_not_needed_are_not_there() -> None:
    """The trace holds what was evaluated and nothing else."""
    trace = explain("s == 'x' && needs.build.result")

    assert [part.expression for part in trace.parts] == ["s == 'x'"]
    assert explain("case(t, s, u)").parts[-1].expression == "s"
