"""The run machine at its edges: no jobs at all, names of what never ran, keys that look alike."""

from __future__ import annotations

import pytest
from tests.unit.plan.machines import CONTEXTS, Play, call, job, workflow

from windlass.lang.expressions import UNKNOWN
from windlass.model.status import Result
from windlass.plan.orders import FinishRun, RejectJob, SkipJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import RunStarted


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

    assert (skip.name, skip.decision.reason) == (shown, "false is false")


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
