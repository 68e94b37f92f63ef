"""The whole decision about a job or a step: verdict, reason, condition and the values behind it."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.lang.expressions import UNKNOWN
from windlass.lang.positions import Position, Span
from windlass.lang.workflow.model import Condition
from windlass.model.status import Result
from windlass.plan.conditions import (
    decide_job,
    decide_step,
    forecast_job,
    forecast_step,
)
from windlass.plan.decision import Decision, Verdict
from windlass.plan.faults import PlanFault
from windlass.plan.predecessors import Ancestry, Outlook
from windlass.plan.reasons import PLAIN

FAILED = Ancestry(
    ("a", Result.FAILURE), ("a", Result.FAILURE), results={"a": Result.FAILURE, "b": Result.SUCCESS}
)
SPAN = Span("ci.yml", Position(4, 9), Position(4, 20))


@pytest.mark.parametrize(
    ("status", "verdict", "reason", "values"),
    [
        (Result.SUCCESS, Verdict.RUN, "no step before it failed", ()),
        (Result.FAILURE, Verdict.SKIP, "a step before it failed", ((PLAIN, False),)),
        (Result.CANCELLED, Verdict.SKIP, "the job was cancelled", ((PLAIN, False),)),
    ],
)
def test_a_step_without_a_condition(
    status: Result, verdict: Verdict, reason: str, values: Any
) -> None:
    """It runs while the job succeeds, and says what keeps it from running."""
    assert decide_step(Condition(PLAIN), {}, status) == Decision(verdict, reason, PLAIN, values)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(Result.FAILURE, "a step before it failed"), (Result.CANCELLED, "the job was cancelled")],
)
def test_a_step_whose_condition_asks_for_success(status: Result, reason: str) -> None:
    """Where success() alone says no, the reason is what happened before."""
    text = "success() && (env.A == 'b')"

    assert decide_step(Condition(text), {"env": {"A": "b"}}, status) == Decision(
        Verdict.SKIP, reason, text, ((PLAIN, False),)
    )


@pytest.mark.parametrize(
    ("ancestry", "verdict", "reason", "values"),
    [
        (Ancestry(), Verdict.RUN, "everything it needs succeeded", ()),
        (FAILED, Verdict.SKIP, "job 'a' ended with failure", ((PLAIN, False),)),
        (Ancestry(cancelled=True), Verdict.SKIP, "the run was cancelled", ((PLAIN, False),)),
    ],
)
def test_a_job_without_a_condition(
    ancestry: Ancestry, verdict: Verdict, reason: str, values: Any
) -> None:
    """It runs after success, and says which job or what else keeps it from running."""
    decision = decide_job(Condition(PLAIN), {}, ancestry)

    assert decision == Decision(verdict, reason, PLAIN, values)


@pytest.mark.parametrize(
    ("text", "ancestry", "verdict", "reason", "values"),
    [
        (
            "failure() && github.ref",
            FAILED,
            Verdict.RUN,
            "failure() && github.ref is 'main' (failure() is true, github.ref is 'main')",
            (("failure()", True), ("github.ref", "main")),
        ),
        ("success('A', 'B')", FAILED, Verdict.SKIP, "job 'a' ended with failure", None),
        ("success('B')", FAILED, Verdict.RUN, "success('B') is true: b succeeded", None),
        (
            "failure('b', 'A')",
            FAILED,
            Verdict.RUN,
            "failure('b', 'A') is true: job 'a' failed",
            None,
        ),
        ("success('a')", Ancestry(cancelled=True), Verdict.SKIP, "the run was cancelled", None),
        (
            "github.name",
            FAILED,
            Verdict.RUN,
            "github.name is 'it''s'",
            (("github.name", "it's"),),
        ),
        ("github.none", FAILED, Verdict.SKIP, "github.none is null", (("github.none", None),)),
        ("github.list", FAILED, Verdict.RUN, "github.list is an array", None),
        ("github.empty", FAILED, Verdict.RUN, "github.empty is an empty array", None),
        ("github", FAILED, Verdict.RUN, "github is an object", None),
        ("github.count", FAILED, Verdict.RUN, "github.count is 3", None),
        (
            "!(github.ref && github.count)",
            FAILED,
            Verdict.SKIP,
            "!(github.ref && github.count) is false (github.ref is 'main', github.count is 3)",
            None,
        ),
        ("!github.count", FAILED, Verdict.SKIP, "github.count is 3", None),
        ("github.fits", FAILED, Verdict.RUN, f"github.fits is '{'x' * 98}'", None),
        ("github.long", FAILED, Verdict.RUN, f"github.long is '{'x' * 98}…", None),
    ],
)
def test_evidence_for_jobs(
    text: str, ancestry: Ancestry, verdict: Verdict, reason: str, values: Any
) -> None:
    """The reason names the part that decided and its values, each in one short line."""
    github = {"ref": "main", "name": "it's", "list": [1], "empty": [], "count": 3}
    contexts: dict[str, Any] = {"github": {**github, "fits": "x" * 98, "long": "x" * 99}}

    decision = decide_job(Condition(text), contexts, ancestry)

    assert isinstance(decision, Decision)
    assert (decision.verdict, decision.reason) == (verdict, reason)
    assert decision.expression == text
    assert values is None or decision.values == values


def test_a_condition_of_several_expressions_is_shown_as_written() -> None:
    """GitHub makes one text of them, which is true whatever they are; the reason shows both."""
    written = "${{ github.ref }} && ${{ github.count }}"
    condition = Condition("success() && (format('{0} && {1}', github.ref, github.count))", written)

    decision = decide_job(condition, {"github": {"ref": "main", "count": 3}}, Ancestry())
    assert isinstance(decision, Decision)
    assert decision.verdict is Verdict.RUN
    assert decision.reason.startswith(f"{written} is 'main && 3' (")


def test_a_success_that_was_written_is_among_the_values() -> None:
    """Only the one that GitHub puts before a condition is left out where it holds."""
    text = "success() && github.ref"
    decision = decide_job(Condition(text, text), {"github": {"ref": "main"}}, Ancestry())

    assert isinstance(decision, Decision)
    assert decision.values == (("success()", True), ("github.ref", "main"))


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        (
            "needs.a.outputs.x || github.ref",
            Verdict.RUN,
            (
                "needs.a.outputs.x || github.ref is true "
                "(needs.a.outputs.x is not known yet, github.ref is 'main')"
            ),
        ),
        (
            "github.none || needs.a.outputs.x && false",
            Verdict.SKIP,
            (
                "github.none || needs.a.outputs.x && false is false "
                "(github.none is null, needs.a.outputs.x is not known yet)"
            ),
        ),
        ("needs.a.outputs.x && false", Verdict.SKIP, "its condition is always false"),
        ("needs.a.outputs.x && github.none", Verdict.SKIP, "github.none is null"),
    ],
)
def test_what_is_certain_although_a_value_is_not(text: str, verdict: Verdict, reason: str) -> None:
    """The reason says how the condition comes out, with the value that makes no difference."""
    condition = Condition(f"success() && ({text})", text)
    decision = forecast_job(condition, {"needs": UNKNOWN, "github": {"ref": "main"}}, RUNS)

    assert isinstance(decision, Decision)
    assert (decision.verdict, decision.reason) == (verdict, reason)


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        (Condition("success() && (fromJSON('x'))", "fromJSON('x')", SPAN), "fromJSON('x')"),
        (Condition("always() && fromJSON('x')", None, SPAN), "always() && fromJSON('x')"),
        (Condition("success() && ()", "", SPAN), ""),
    ],
)
def test_a_fault_shows_the_condition_as_written(condition: Condition, shown: str) -> None:
    """The message has what stands in the file, and the place of it."""
    faults = [
        decide_job(condition, {}),
        decide_step(condition, {}, Result.SUCCESS),
        forecast_job(condition, {}, Outlook()),
        forecast_step(condition, {}, Outlook()),
    ]

    for fault in faults:
        assert isinstance(fault, PlanFault)
        assert fault.message.startswith(f"The `if` condition '{shown}' cannot be evaluated: ")
        assert fault.span == SPAN


RUNS = Outlook({"a": Verdict.RUN}, ("a",))
SKIPS = Outlook({"a": Verdict.RUN, "b": Verdict.SKIP})
DOUBTFUL = "it runs only where something before it does not succeed"


@pytest.mark.parametrize(
    ("text", "outlook", "expected"),
    [
        (PLAIN, Outlook(), Decision(Verdict.RUN, "it has no condition", PLAIN)),
        (PLAIN, RUNS, Decision(Verdict.RUN, "once a succeeded", PLAIN)),
        (
            PLAIN,
            Outlook(dict.fromkeys("abcd", Verdict.RUN), ("a", "b", "c")),
            Decision(Verdict.RUN, "once a, b and c succeeded", PLAIN),
        ),
        (PLAIN, SKIPS, Decision(Verdict.SKIP, "job 'b' is skipped", PLAIN)),
        (
            PLAIN,
            Outlook({"a": Verdict.UNKNOWN, "b": Verdict.SKIP}),
            Decision(Verdict.SKIP, "job 'b' is skipped", PLAIN),
        ),
        (
            PLAIN,
            Outlook({"a": Verdict.RUN, "b": Verdict.UNKNOWN}),
            Decision(Verdict.UNKNOWN, "whether job 'b' runs is not known yet", PLAIN),
        ),
        (
            PLAIN,
            Outlook({"a": Verdict.RUN}, strict=False),
            Decision(Verdict.RUN, "unless a step before it fails", PLAIN),
        ),
        (
            "failure()",
            RUNS,
            Decision(Verdict.UNKNOWN, DOUBTFUL, "failure()", (("failure()", UNKNOWN),)),
        ),
        (
            "failure() && needs.a.outputs.x",
            RUNS,
            Decision(
                Verdict.UNKNOWN,
                DOUBTFUL,
                "failure() && needs.a.outputs.x",
                (("failure()", UNKNOWN), ("needs.a.outputs.x", UNKNOWN)),
            ),
        ),
        (
            "needs.a.result == needs.b.result",
            RUNS,
            Decision(
                Verdict.UNKNOWN,
                "it depends on needs.a.result and needs.b.result",
                "needs.a.result == needs.b.result",
                (("needs.a.result", UNKNOWN), ("needs.b.result", UNKNOWN)),
            ),
        ),
        (
            "success() && needs.a.result",
            Outlook({"a": Verdict.UNKNOWN}),
            Decision(
                Verdict.UNKNOWN,
                "whether job 'a' runs is not known yet",
                "success() && needs.a.result",
                (("success()", UNKNOWN), ("needs.a.result", UNKNOWN)),
            ),
        ),
        (
            "always() && failure()",
            RUNS,
            Decision(
                Verdict.UNKNOWN,
                DOUBTFUL,
                "always() && failure()",
                (("always()", True), ("failure()", UNKNOWN)),
            ),
        ),
        (
            "!success()",
            RUNS,
            Decision(Verdict.UNKNOWN, DOUBTFUL, "!success()", (("success()", UNKNOWN),)),
        ),
        (
            "!success('A')",
            SKIPS,
            Decision(Verdict.UNKNOWN, DOUBTFUL, "!success('A')", (("success('A')", UNKNOWN),)),
        ),
        (
            "failure() || cancelled()",
            Outlook({"a": Verdict.SKIP}),
            Decision(
                Verdict.SKIP,
                "failure() || cancelled() is false (failure() is false, cancelled() is false)",
                "failure() || cancelled()",
                (("failure()", False), ("cancelled()", False)),
            ),
        ),
    ],
)
def test_forecasts(text: str, outlook: Outlook, expected: Decision) -> None:
    """A forecast has its reason and every value it looked at, those still to come included."""
    assert forecast_job(Condition(text), {"needs": UNKNOWN}, outlook) == expected
