"""The run machine at its edges: no jobs at all, names of what never ran, keys that look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.plan.machines import CONTEXTS, Play, call, job, workflow

from windlass.lang.expressions import UNKNOWN
from windlass.model.status import Result
from windlass.plan.decision import Verdict
from windlass.plan.orders import CancelJob, DropJob, FinishRun, RejectJob, SkipJob, StartJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import CancelRequested, RunStarted

if TYPE_CHECKING:
    from windlass.lang.workflow.model import Job


def test_a_run_without_jobs_is_over_at_once() -> None:
    """Nothing to do is a success."""
    assert RunMachine(workflow(), CONTEXTS).receive(RunStarted()) == [FinishRun(Result.SUCCESS)]


def test_a_call_without_jobs_is_over_at_once() -> None:
    """The job that calls a workflow without jobs has nothing to wait for."""
    play = Play(call("deploy", workflow()), job("after", ["deploy"], if_="always()"))

    assert play.started() == ["after"]


@pytest.mark.parametrize(
    ("name", "shown"), [("Build it", "Build it"), (None, "build"), ("${{ github.ref }}", "build")]
)
def test_a_skipped_job_has_the_name_people_know(name: str | None, shown: str) -> None:
    """What was written as `name:` unless that is to be computed, for which nothing ran."""
    keys = {} if name is None else {"name": name}
    play = Play(job("build", if_="false", **keys))

    skip = play.order(SkipJob, "build")

    assert (skip.name, skip.decision.verdict) == (shown, Verdict.SKIP)


@pytest.mark.parametrize(("name", "shown"), [("Build it", "Build it"), (None, "build")])
def test_a_rejected_job_has_the_name_people_know(name: str | None, shown: str) -> None:
    """So has a job that fails before it has any legs."""
    keys = {} if name is None else {"name": name}

    play = Play(job("build", if_="fromJSON('')", **keys))

    assert play.order(RejectJob, "build").name == shown
    assert play.orders[-1] == FinishRun(Result.FAILURE)


def test_a_job_in_a_called_workflow_has_the_caller_in_its_name() -> None:
    """Key and name of a job that never ran lead with those of the call."""
    play = Play(call("ci", workflow(job("build", if_="false", name="Build it")), name="All checks"))

    skip = play.order(SkipJob, "ci / build")

    assert skip.name == "All checks / Build it"


def test_a_strategy_that_is_not_known_fails_the_job() -> None:
    """In a run everything a strategy may look at has ended; what has not is a fault."""
    machine = RunMachine(
        workflow(job("build", strategy={"matrix": {"os": "${{ vars.open }}"}})),
        {**CONTEXTS, "vars": {"open": UNKNOWN}},
    )

    rejection, end = machine.receive(RunStarted())

    assert isinstance(rejection, RejectJob)
    assert rejection.message == "The strategy depends on a value that is not known"
    assert end == FinishRun(Result.FAILURE)


def legs(id_: str, values: list[str], needs: tuple[str, ...] = (), **keys: Any) -> Job:
    strategy = {"matrix": {"v": values}, **keys.pop("strategy", {})}
    return job(id_, needs, strategy=strategy, **keys)


class TestNamesOfLegs:
    def test_a_leg_whose_name_cannot_be_computed_has_that_of_its_values(self) -> None:
        """It fails under the name it would have without `name:`."""
        play = Play(legs("build", ["x"], name="${{ fromJSON('') }}"))

        assert play.order(RejectJob, "build (x)").name == "build (x)"
        assert play.orders[-1] == FinishRun(Result.FAILURE)

    def test_a_leg_that_is_rejected_has_its_name(self) -> None:
        """A key that cannot be evaluated fails the leg under the name people know."""
        play = Play(legs("build", ["x"], name="Build", runs_on="${{ fromJSON('') }}"))

        assert play.order(RejectJob, "build (x)").name == "Build (x)"

    @pytest.mark.parametrize(
        ("values", "started"),
        [
            (["x", "x) / b (y"], ["c (x) / b (y) #2", "c (x) / b (y) / b (y)"]),
            (
                ["x", "x) / b (y", "x) / b (y"],
                ["c (x) / b (y) #3", "c (x) / b (y) / b (y)", "c (x) / b (y) #2 / b (y)"],
            ),
        ],
    )
    def test_keys_that_look_alike_are_numbered(self, values: list[str], started: list[str]) -> None:
        """A value of a matrix may spell the key of a leg in a called workflow."""
        play = Play(call("c", workflow(legs("b", ["y"])), strategy={"matrix": {"v": values}}))

        assert play.started() == started


class TestFailFast:
    def test_what_waits_is_dropped_and_what_runs_is_cancelled_by_name(self) -> None:
        """The reason names the leg that failed, in every order it leads to."""
        play = Play(legs("build", ["1", "2", "3"], name="Build", strategy={"max-parallel": 2}))

        orders = play.end("build (1)", Result.FAILURE)

        reason = "Build (1) failed and fail-fast is on"
        assert orders == [
            DropJob("build (3)", "Build (3)", reason, ("build",)),
            CancelJob("build (2)", reason),
        ]

    def test_the_jobs_of_a_called_workflow_are_cancelled_for_the_same_reason(self) -> None:
        """A leg that calls a workflow hands the reason on to its jobs."""
        called = workflow(job("a"))
        play = Play(call("c", called, strategy={"matrix": {"v": ["1", "2"]}}))

        orders = play.end("c (1) / a", Result.FAILURE)

        assert orders == [CancelJob("c (2) / a", "c (1) failed and fail-fast is on")]

    def test_a_leg_is_cancelled_once(self) -> None:
        """Cancelling the run has no second order for a leg that is being cancelled."""
        play = Play(legs("build", ["1", "2"]))
        play.end("build (1)", Result.FAILURE)

        assert play.send(CancelRequested("no longer needed")) == []

    def test_a_leg_that_never_started_is_not_cancelled(self) -> None:
        """Two legs that are rejected together are two rejections and nothing else."""
        play = Play(legs("build", ["1", "2"], runs_on="${{ fromJSON('') }}"))

        assert [type(order) for order in play.orders] == [RejectJob, RejectJob, FinishRun]


class TestCancellation:
    def test_before_the_run_there_is_nothing_to_cancel(self) -> None:
        """A request that comes before the start leads to nothing, then or later."""
        machine = RunMachine(workflow(job("a")), CONTEXTS)

        assert machine.receive(CancelRequested("too early")) == []
        (start,) = machine.receive(RunStarted())
        assert isinstance(start, StartJob)

    def test_what_waited_counts_as_cancelled(self) -> None:
        """A job is cancelled if a leg of it was, although all that ran succeeded."""
        build = legs("build", ["1", "2"], strategy={"max-parallel": 1})
        play = Play(build, job("report", ["build"], if_="always()"))

        assert play.send(CancelRequested("stop")) == [
            DropJob("build (2)", "build (2)", "stop", ("build",)),
            CancelJob("build (1)", "stop"),
        ]
        play.end("build (1)")
        needs = play.order(StartJob, "report").contexts["needs"]
        assert needs["build"]["result"] == "cancelled"

    def test_a_condition_is_asked_again_with_its_needs(self) -> None:
        """A job goes on where its condition, looking at what it needs, still holds."""
        play = Play(
            job("a"),
            job("keeps", ["a"], if_="always() && needs.a.result == 'success'"),
            job("stops", ["a"], if_="!cancelled() && needs.a.result == 'success'"),
        )
        play.end("a")

        assert play.send(CancelRequested("stop")) == [CancelJob("stops", "stop")]


class TestAncestors:
    @pytest.mark.parametrize(
        ("first", "started"),
        [
            (Result.SUCCESS, ["a", "b", "named"]),
            (Result.FAILURE, ["a", "any-failure", "named-failure"]),
            (Result.CANCELLED, ["a"]),
        ],
    )
    def test_status_functions_look_behind_the_direct_needs(
        self, first: Result, started: list[str]
    ) -> None:
        """A job may name an ancestor it does not need itself; a skipped one is no failure."""
        play = Play(
            job("a"),
            job("b", ["a"]),
            job("any-failure", ["b"], if_="failure()"),
            job("named", ["b"], if_="always() && success('A')"),
            job("named-failure", ["b"], if_="failure('a')"),
        )
        play.end("a", first)
        if "b" in play.started():
            play.end("b")

        assert play.started() == started


class TestCalls:
    def test_outputs_that_cannot_be_evaluated_fail_the_call(self) -> None:
        """The job that called is rejected with the fault, and its dependents see a failure."""
        called = workflow(job("a"), outputs={"x": "${{ fromJSON('') }}"})
        play = Play(call("c", called), job("after", ["c"], if_="failure()"))

        orders = play.end("c / a")

        assert isinstance(orders[0], RejectJob)
        assert (orders[0].key, orders[0].name) == ("c", "c")
        assert "empty input" in orders[0].message
        assert play.started() == ["c / a", "after"]

    def test_outputs_come_from_the_jobs_of_the_called_workflow(self) -> None:
        """`jobs` holds results and outputs by id, for the outputs alone."""
        called = workflow(
            job("a"), outputs={"x": "${{ jobs.a.outputs.y }}", "r": "${{ jobs.a.result }}"}
        )
        play = Play(call("c", called), job("after", ["c"]))

        play.end("c / a", outputs={"y": "1"})

        needs = play.order(StartJob, "after").contexts["needs"]
        assert needs["c"] == {"result": "success", "outputs": {"x": "1", "r": "success"}}
