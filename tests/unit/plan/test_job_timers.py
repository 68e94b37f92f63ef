"""The job machine and time: it asks for timers and says what is over; it has no clock.

Source: actions/runner src/Runner.Worker/StepsRunner.cs, src/Runner.Listener/JobDispatcher.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.plan.machines import Play, job, run_step

from windlass.model.status import Result
from windlass.plan.job import JobMachine
from windlass.plan.orders import StartJob
from windlass.plan.steps import (
    Annotate,
    CancelStep,
    ConcludeStep,
    FinishJob,
    JobCancelRequested,
    JobOpened,
    JobOrder,
    KillSteps,
    StartStep,
    StartTimer,
    StepFinished,
    StopTimer,
    TimerFired,
)

if TYPE_CHECKING:
    from windlass.lang.workflow.model import RunStep

SUCCESS, FAILURE, CANCELLED = Result.SUCCESS, Result.FAILURE, Result.CANCELLED
TOO_LONG = "The job running on runner windlass has exceeded the maximum execution time of"


def open_job(*steps: RunStep, **keys: Any) -> tuple[JobMachine, list[JobOrder]]:
    order = Play(job("build", steps=steps, **keys)).order(StartJob, "build")
    machine = JobMachine(order, secrets={})
    return machine, machine.receive(JobOpened(runner={}))


class TestJob:
    @pytest.mark.parametrize(
        ("written", "seconds"),
        [
            pytest.param(None, 360 * 60, id="default"),
            pytest.param(2, 120, id="whole"),
            pytest.param(1.9, 60, id="fraction is cut off"),
            pytest.param("${{ 3 }}", 180, id="expression"),
        ],
    )
    def test_its_timer_starts_when_it_opens(self, written: Any, seconds: int) -> None:
        """Fractions of minutes are cut off, as everywhere in the runner."""
        keys = {} if written is None else {"timeout_minutes": written}
        _, orders = open_job(run_step("a"), **keys)

        assert orders[0] == StartTimer("job", seconds)

    def test_no_minutes_are_no_limit(self) -> None:
        """0.5 is 0, which is no time-out."""
        _, orders = open_job(run_step("a"), timeout_minutes=0.5)

        assert [type(order) for order in orders] == [StartStep]

    def test_when_its_time_is_over_it_is_cancelled(self) -> None:
        """It is told why once, and counts as cancelled."""
        machine, _ = open_job(run_step("a"), timeout_minutes=1)

        assert machine.receive(TimerFired("job")) == [
            Annotate("", "error", f"{TOO_LONG} 1 minutes."),
            StartTimer("cancel", 300),
            CancelStep("a"),
        ]
        assert machine.receive(StepFinished(key="a", outcome=CANCELLED))[-1] == FinishJob(CANCELLED)

    @pytest.mark.parametrize(
        ("written", "seconds"),
        [
            pytest.param(2.9, 120, id="fraction is cut off"),
            pytest.param(0, 60, id="never under a minute"),
            pytest.param("${{ 4 }}", 240, id="expression"),
        ],
    )
    def test_what_runs_after_a_cancellation_has_its_own_limit(
        self, written: Any, seconds: int
    ) -> None:
        """`cancel-timeout-minutes` may be an expression; it is a minute at least."""
        always = run_step("a", if_="always()")
        machine, _ = open_job(always, cancel_timeout_minutes=written)

        assert machine.receive(JobCancelRequested("stop")) == [StartTimer("cancel", seconds)]

    def test_when_that_limit_is_over_all_is_killed(self) -> None:
        """No other step is begun, whatever its condition says."""
        always = [run_step(name, if_="always()") for name in ("a", "b")]
        machine, _ = open_job(*always)
        machine.receive(JobCancelRequested("stop"))

        assert machine.receive(TimerFired("cancel")) == [KillSteps()]
        assert machine.receive(TimerFired("cancel")) == []
        assert machine.receive(StepFinished(key="a", outcome=CANCELLED)) == [
            ConcludeStep("a", CANCELLED, CANCELLED),
            FinishJob(CANCELLED),
        ]

    def test_a_request_to_end_at_once(self) -> None:
        """It may come first, or after a polite one."""
        machine, _ = open_job(run_step("a", if_="always()"))

        assert machine.receive(JobCancelRequested("stop", at_once=True)) == [
            StartTimer("cancel", 300),
            KillSteps(),
        ]
        assert machine.receive(JobCancelRequested("stop", at_once=True)) == []

    def test_a_request_to_end_at_once_before_it_is_open(self) -> None:
        """There is nothing to kill."""
        order = Play(job("build")).order(StartJob, "build")
        machine = JobMachine(order, secrets={})

        assert machine.receive(JobCancelRequested("stop", at_once=True)) == [FinishJob(CANCELLED)]


class TestStep:
    def test_its_timer_comes_before_it_and_stops_with_it(self) -> None:
        """Whoever carries the orders out may be busy with the step itself."""
        machine, orders = open_job(run_step("a", timeout_minutes=2))

        timer, start = orders[1:]
        assert timer == StartTimer("step:a", 120)
        assert isinstance(start, StartStep)
        ends = machine.receive(StepFinished(key="a", outcome=SUCCESS))
        assert ends[0] == StopTimer("step:a")

    def test_a_step_without_a_limit_has_no_timer(self) -> None:
        """Nothing is started that would have to be stopped."""
        machine, orders = open_job(run_step("a"))

        ends = machine.receive(StepFinished(key="a", outcome=SUCCESS))
        assert not [
            order for order in orders[1:] + ends if isinstance(order, StartTimer | StopTimer)
        ]

    @pytest.mark.parametrize("outcome", [SUCCESS, FAILURE])
    def test_when_its_time_is_over_it_fails(self, outcome: Result) -> None:
        """Also where its process ends well after it was asked to end."""
        machine, _ = open_job(run_step("a", name="Slow", timeout_minutes=2))

        assert machine.receive(TimerFired("step:a")) == [CancelStep("a", timed_out=True)]
        assert machine.receive(TimerFired("step:a")) == []
        assert machine.receive(StepFinished(key="a", outcome=outcome)) == [
            StopTimer("step:a"),
            Annotate("a", "error", "The action 'Slow' has timed out after 2 minutes."),
            ConcludeStep("a", FAILURE, FAILURE),
            FinishJob(FAILURE),
        ]

    def test_a_job_cancelled_meanwhile_overrules_its_time(self) -> None:
        """The runner asks first whether the job was cancelled."""
        machine, _ = open_job(run_step("a", timeout_minutes=2))
        machine.receive(TimerFired("step:a"))
        machine.receive(JobCancelRequested("stop"))

        ends = machine.receive(StepFinished(key="a", outcome=CANCELLED))
        assert ends == [
            StopTimer("step:a"),
            ConcludeStep("a", CANCELLED, CANCELLED),
            FinishJob(CANCELLED),
        ]

    def test_time_that_passes_after_its_end_is_nothing(self) -> None:
        """A timer may go off while it is being stopped."""
        machine, _ = open_job(run_step("a", timeout_minutes=2), run_step("b"))
        machine.receive(StepFinished(key="a", outcome=SUCCESS))

        assert machine.receive(TimerFired("step:a")) == []
