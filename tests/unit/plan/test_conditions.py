"""Whether jobs and steps run, and the evidence for it.

Expected values: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions
and actions/runner src/Runner.Worker/Expressions/.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.planning import read_job

from windlass.lang.expressions import UNKNOWN
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

GITHUB = {"github": {"ref": "refs/heads/main", "event_name": "push"}}
SUCCESS = Ancestry(results={"a": Result.SUCCESS, "b": Result.SUCCESS})
FAILED = Ancestry(
    ("a", Result.FAILURE), ("a", Result.FAILURE), results={"a": Result.FAILURE, "b": Result.SUCCESS}
)
SKIPPED = Ancestry(("a", Result.SKIPPED), results={"a": Result.SKIPPED})
CANCELLED = Ancestry(("a", Result.CANCELLED), None, True, {"a": Result.CANCELLED})

ENDS = {"success": SUCCESS, "failure": FAILED, "skipped": SKIPPED, "cancelled": CANCELLED}


def condition(text: str | None) -> Condition:
    return Condition("success()") if text is None else read_job(f"if: {text}").condition


def decide(text: str | None, ancestry: Ancestry = SUCCESS, **contexts: Any) -> Decision:
    decision = decide_job(condition(text), {**GITHUB, **contexts}, ancestry)
    assert isinstance(decision, Decision), decision
    return decision


@pytest.mark.requirement("A09")
@pytest.mark.parametrize(
    ("text", "runs_after"),
    [
        (None, {"success"}),
        ("success()", {"success"}),
        ("failure()", {"failure"}),
        ("always()", {"success", "failure", "skipped", "cancelled"}),
        ("cancelled()", {"cancelled"}),
        ("'!cancelled()'", {"success", "failure", "skipped"}),
        ("success() || failure()", {"success", "failure"}),
        ("github.ref == 'refs/heads/main'", {"success"}),
        ("failure() && github.event_name == 'push'", {"failure"}),
        ("${{ always() && github.event_name == 'pull_request' }}", set()),
        ("success('b')", {"success", "failure", "skipped"}),
        ("failure('a')", {"failure"}),
        ("failure('b')", set()),
    ],
)
def test_job_status_functions(text: str | None, runs_after: set[str]) -> None:
    """A job runs after those ends of its ancestors that its condition asks for."""
    found = {name for name, end in ENDS.items() if decide(text, end).verdict is Verdict.RUN}

    assert runs_after == found


@pytest.mark.requirement("A09")
def test_bug_15_success_asks_all_ancestors_and_says_which_one_did_not_succeed() -> None:
    """A job after one that never ran is skipped with that job as the reason, never silently."""
    decision = decide(None, Ancestry(("build", Result.SKIPPED)))

    assert (decision.verdict, decision.reason) == (Verdict.SKIP, "job 'build' ended with skipped")


@pytest.mark.requirement("A16")
@pytest.mark.parametrize(
    ("text", "ancestry", "reason"),
    [
        (None, SUCCESS, "everything it needs succeeded"),
        (None, FAILED, "job 'a' ended with failure"),
        (None, CANCELLED, "the run was cancelled"),
        (
            "github.ref == 'refs/heads/develop'",
            SUCCESS,
            "github.ref == 'refs/heads/develop' is false (github.ref is 'refs/heads/main')",
        ),
        ("github.ref == 'refs/heads/develop'", FAILED, "job 'a' ended with failure"),
        (
            "startsWith(github.ref, 'refs/tags/')",
            SUCCESS,
            "startsWith(github.ref, 'refs/tags/') is false (github.ref is 'refs/heads/main')",
        ),
        (
            "needs.a.result == 'failure' || github.event_name == 'push'",
            SUCCESS,
            (
                "needs.a.result == 'failure' || github.event_name == 'push' is true "
                "(needs.a.result is 'success', github.event_name is 'push')"
            ),
        ),
        ("always()", FAILED, "always() is true"),
        ("failure()", SUCCESS, "failure() is false: a and b succeeded"),
        ("${{ failure() }}", SUCCESS, "failure() is false: a and b succeeded"),
        ("${{ failure() }}", Ancestry(), "failure() is false: it needs no job"),
        ("failure()", SKIPPED, "failure() is false: a was skipped"),
        ("failure()", FAILED, "failure() is true: job 'a' failed"),
        ("failure()", Ancestry(failed=("z", Result.FAILURE)), "failure() is true: job 'z' failed"),
        ("failure('b')", FAILED, "failure('b') is false: b succeeded"),
        ("success('a')", SKIPPED, "job 'a' ended with skipped"),
        ("success() || failure()", SUCCESS, "success() is true: a and b succeeded"),
        ("cancelled()", SUCCESS, "cancelled() is false: the run was not cancelled"),
        ("cancelled()", CANCELLED, "cancelled() is true: the run was cancelled"),
        (
            "failure()",
            Ancestry(results=dict.fromkeys("abcde", Result.SUCCESS)),
            "failure() is false: a, b, c and 2 more succeeded",
        ),
        (
            "failure()",
            Ancestry(results={**dict.fromkeys("abcd", Result.SUCCESS), "e": Result.SKIPPED}),
            "failure() is false: a, b, c and d succeeded, e was skipped",
        ),
        ("${{ false }}", SUCCESS, "its condition is always false"),
        ("${{ github.ref }}", SUCCESS, "github.ref is 'refs/heads/main'"),
        (
            "always() && github.ref",
            SUCCESS,
            "always() && github.ref is 'refs/heads/main' (github.ref is 'refs/heads/main')",
        ),
        ("vars.none", SUCCESS, "vars.none is null"),
    ],
)
def test_reasons(text: str | None, ancestry: Ancestry, reason: str) -> None:
    """The reason names the part that decided with the values it had."""
    decision = decide(text, ancestry, needs={"a": {"result": "success"}}, vars={})

    assert reason == decision.reason


def test_values_are_kept_in_the_order_they_were_looked_at() -> None:
    """The decision holds every value that was looked at, and none that was not needed.

    The success() that GitHub adds is worth telling only where it keeps the job from running.
    """
    decision = decide("github.event_name == 'pull_request' && github.ref == 'x'")

    assert decision.values == (("github.event_name", "push"),)

    written = decide("success() && (github.event_name == 'push')")
    assert written.values == (("success()", True), ("github.event_name", "push"))
    assert decide("github.event_name == 'push'", FAILED).values == (("success()", False),)


def test_a_condition_that_cannot_be_evaluated_is_a_fault() -> None:
    """A job whose condition fails to evaluate fails; it is not skipped."""
    fault = decide_job(condition("fromJSON(github.ref)"), GITHUB)

    assert isinstance(fault, PlanFault)
    assert "The `if` condition 'fromJSON(github.ref)' cannot be evaluated" in fault.message
    assert fault.span is not None


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("failure()", Result.SUCCESS, "failure() is false: no step before it failed"),
        ("failure()", Result.FAILURE, "failure() is true: a step before it failed"),
        ("failure()", Result.CANCELLED, "failure() is false: the job was cancelled"),
        ("cancelled()", Result.SUCCESS, "cancelled() is false: the job was not cancelled"),
        ("cancelled()", Result.CANCELLED, "cancelled() is true: the job was cancelled"),
        ("always()", Result.FAILURE, "always() is true"),
        ("success() || true", Result.SUCCESS, "success() is true: no step before it failed"),
    ],
)
def test_reasons_of_steps(text: str, status: Result, reason: str) -> None:
    """What happened before in the job is behind a status function of a step."""
    decision = decide_step(Condition(text), {}, status)

    assert isinstance(decision, Decision)
    assert decision.reason == reason


@pytest.mark.parametrize(
    ("text", "runs_in"),
    [
        ("success()", {"success"}),
        ("failure()", {"failure"}),
        ("cancelled()", {"cancelled"}),
        ("always()", {"success", "failure", "cancelled"}),
        ("success() && (steps.one.outputs.x == 'y')", {"success"}),
        ("failure() && steps.one.outcome == 'success'", {"failure"}),
        ("!cancelled()", {"success", "failure"}),
    ],
)
def test_step_status_functions(text: str, runs_in: set[str]) -> None:
    """A step's status functions look at the job so far."""
    contexts = {"steps": {"one": {"outputs": {"x": "y"}, "outcome": "success"}}}
    found = set()
    for status in (Result.SUCCESS, Result.FAILURE, Result.CANCELLED):
        decision = decide_step(Condition(text), contexts, status)
        assert isinstance(decision, Decision)
        if decision.verdict is Verdict.RUN:
            found.add(status.value)

    assert runs_in == found


def test_steps_may_hash_files() -> None:
    """`hashFiles` is what the caller gives, since only it can see the workspace."""
    seen: list[Any] = []
    decision = decide_step(
        Condition("success() && (hashFiles('a', 'b') != '')"),
        {},
        Result.SUCCESS,
        {"hashFiles": lambda patterns: seen.append(list(patterns)) or "digest"},
    )

    assert isinstance(decision, Decision)
    assert (decision.verdict, seen) == (Verdict.RUN, [["a", "b"]])


RUNS = Outlook({"a": Verdict.RUN}, ("a",))
SKIPS = Outlook({"a": Verdict.RUN, "b": Verdict.SKIP})
OPEN = Outlook({"a": Verdict.UNKNOWN})


@pytest.mark.requirement("A09")
@pytest.mark.parametrize(
    ("text", "outlook", "verdict", "reason"),
    [
        ("success()", Outlook(), "RUN", "it has no condition"),
        ("success()", RUNS, "RUN", "once a succeeded"),
        ("success()", SKIPS, "SKIP", "job 'b' is skipped"),
        ("success()", OPEN, "UNKNOWN", "whether job 'a' runs is not known yet"),
        ("failure()", Outlook(), "SKIP", "failure() is false: nothing comes before it"),
        ("failure()", RUNS, "UNKNOWN", "it runs only where something before it does not succeed"),
        ("!success()", RUNS, "UNKNOWN", "it runs only where something before it does not succeed"),
        ("cancelled()", RUNS, "UNKNOWN", "it runs only where something before it does not succeed"),
        ("always()", OPEN, "RUN", "always() is true"),
        ("!cancelled()", RUNS, "RUN", "cancelled() is false unless somebody cancels the run"),
        ("success() && (false)", RUNS, "SKIP", "its condition is always false"),
        ("failure() && github.event_name == 'x'", RUNS, "SKIP", None),
        ("success() && (needs.a.outputs.x)", RUNS, "UNKNOWN", "it depends on needs.a.outputs.x"),
        (
            "always() && needs.a.result == 'failure'",
            RUNS,
            "UNKNOWN",
            "it depends on needs.a.result",
        ),
        ("success() && (github.event_name == 'push')", SKIPS, "SKIP", "job 'b' is skipped"),
        ("success() || failure()", RUNS, "RUN", "once a succeeded"),
        ("!failure()", RUNS, "RUN", "failure() is false unless something before it fails"),
        ("failure('b')", SKIPS, "SKIP", "failure('b') is false: b is skipped"),
        (
            "failure()",
            Outlook(dict.fromkeys("ab", Verdict.SKIP)),
            "SKIP",
            "failure() is false: a and b are skipped",
        ),
        ("success('b')", SKIPS, "SKIP", "job 'b' is skipped"),
        ("success('a')", SKIPS, "RUN", "once a succeeded"),
    ],
)
def test_forecast_of_jobs(text: str, outlook: Outlook, verdict: str, reason: str | None) -> None:
    """A plan counts on success; what would need the opposite, or a result, is UNKNOWN."""
    contexts = {**GITHUB, "needs": {"a": UNKNOWN}}
    decision = forecast_job(Condition(text), contexts, outlook)

    assert isinstance(decision, Decision)
    assert verdict == decision.verdict.value, decision
    assert reason in (None, decision.reason)


@pytest.mark.parametrize(
    ("text", "outlook", "verdict"),
    [
        ("success()", Outlook({}, strict=False), "RUN"),
        ("success()", Outlook({"a": Verdict.SKIP}, strict=False), "RUN"),
        ("success()", Outlook({"a": Verdict.UNKNOWN}, strict=False), "RUN"),
        ("failure()", Outlook({"a": Verdict.SKIP}, strict=False), "SKIP"),
        ("failure()", Outlook({"a": Verdict.RUN}, strict=False), "UNKNOWN"),
        ("success() && (hashFiles('x') != '')", Outlook({}, strict=False), "UNKNOWN"),
    ],
)
def test_forecast_of_steps(text: str, outlook: Outlook, verdict: str) -> None:
    """A skipped step does not keep the next from running, unlike a skipped job."""
    decision = forecast_step(Condition(text), {}, outlook)

    assert isinstance(decision, Decision)
    assert verdict == decision.verdict.value


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        ("true || always()", "RUN", "its condition is always true"),
        ("false && always()", "SKIP", "its condition is always false"),
        ("success('b')", "SKIP", "job 'b' ended with failure"),
        ("failure('b')", "RUN", "failure('b') is true: job 'b' failed"),
    ],
)
def test_reasons_name_what_decided(text: str, verdict: str, reason: str) -> None:
    """A constant says so, and a status function names the job it was asked about."""
    ancestry = Ancestry(
        ("a", Result.FAILURE),
        ("a", Result.FAILURE),
        results={"a": Result.FAILURE, "b": Result.FAILURE},
    )
    decision = decide(text, ancestry)

    assert (decision.verdict.value, decision.reason) == (verdict, reason)
