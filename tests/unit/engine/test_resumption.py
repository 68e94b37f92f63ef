"""Taking a run up again from its journal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.plan.machines import CONTEXTS, job, workflow

from windlass.engine.groups.interface import Holder
from windlass.engine.journals.memory import MemoryJournal
from windlass.engine.local import LocalRun
from windlass.engine.resumption import UNBEGUN, resume
from windlass.errors import PlatformError
from windlass.model.status import Result
from windlass.plan.orders import CancelJob, EnterGroup, FinishRun, SkipJob, StartJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import (
    CancelRequested,
    GroupEntered,
    JobCancelRequested,
    JobFinished,
    RunStarted,
    Signal,
)
from windlass.protocol import events

if TYPE_CHECKING:
    from windlass.jobs.cancellation import Cancellation
    from windlass.lang.workflow.model import Job

JOBS = (job("a"), job("b", ["a"]), job("c", ["a"], if_="failure()"), job("d", concurrency="g"))


def journal_of(*signals: Signal, jobs: tuple[Job, ...] = JOBS) -> MemoryJournal:
    machine, journal = RunMachine(workflow(*jobs), CONTEXTS), MemoryJournal()
    for number, signal in enumerate(signals):
        journal.append(number, signal, machine.receive(signal))
    return journal


def fresh() -> RunMachine:
    return RunMachine(workflow(*JOBS), CONTEXTS)


def outline(orders: tuple[Any, ...]) -> list[tuple[str, str]]:
    return [(type(order).__name__, getattr(order, "key", "")) for order in orders]


def test_an_empty_journal_has_nothing_to_go_on_with() -> None:
    """The driver then begins with the first signal."""
    assert resume(fresh(), MemoryJournal()) == UNBEGUN


def test_jobs_without_an_end_start_again() -> None:
    """Ended jobs do not; what the last signal led to is carried out once more."""
    journal = journal_of(RunStarted(), JobFinished("a", Result.SUCCESS))

    resumption = resume(fresh(), journal)

    assert resumption.count == 2
    assert outline(resumption.orders) == [("EnterGroup", "d"), ("StartJob", "b"), ("SkipJob", "c")]
    assert resumption.due == {"b", "c", "d"}


def test_a_cancellation_is_asked_for_again() -> None:
    """A job that was told to end starts, so that `always()` runs, and is told again."""
    journal = journal_of(
        RunStarted(),
        JobFinished("a", Result.SUCCESS),
        JobCancelRequested("b", "stop"),
        RunStarted(),
    )

    orders = resume(fresh(), journal).orders

    assert isinstance(orders[1], StartJob)
    assert orders[2] == CancelJob("b", "stop")


def test_a_group_that_was_entered_is_held() -> None:
    """It is entered again before what is in it goes on; one that was left is not."""
    entered = [RunStarted(), GroupEntered("d")]
    (held,) = resume(fresh(), journal_of(*entered)).held
    left = resume(fresh(), journal_of(*entered, JobFinished("d", Result.SUCCESS)))

    assert held.key == "d"
    assert left.held == ()
    assert not any(isinstance(order, EnterGroup) for order in left.orders)


def test_a_run_that_had_ended_only_says_so_again() -> None:
    """Its last order is all there is to carry out."""
    journal = journal_of(RunStarted(), JobFinished("a", Result.SUCCESS), jobs=(job("a"),))

    resumption = resume(RunMachine(workflow(job("a")), CONTEXTS), journal)

    assert resumption.orders == (FinishRun(Result.SUCCESS),)
    assert resumption.due == frozenset()


def test_a_machine_that_decides_otherwise_is_refused() -> None:
    """A journal of another workflow, or another version, is not gone on with."""
    with pytest.raises(PlatformError, match="signal number 0 of its journal now leads to other"):
        resume(RunMachine(workflow(job("x")), CONTEXTS), journal_of(RunStarted()))


def test_a_resumed_run_ends_as_if_undisturbed() -> None:
    """Kept jobs are not run; the group is entered before its job starts."""
    journal = journal_of(RunStarted(), GroupEntered("d"), JobFinished("a", Result.SUCCESS))
    ran: list[str] = []

    def run_job(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
        ran.append(order.key)
        return JobFinished(order.key, Result.SUCCESS)

    machine = fresh()
    run = LocalRun(
        machine,
        run_job,
        emit=lambda _: None,
        max_jobs=1,
        journal=journal,
        resumption=resume(machine, journal),
    )

    assert run.run() is Result.SUCCESS
    assert sorted(ran) == ["b", "d"]
    whole = resume(fresh(), journal)
    assert whole.orders[-1] == FinishRun(Result.SUCCESS)


class Closed:
    """Groups that somebody else is in."""

    def __init__(self, send: Any) -> None:  # noqa: ARG002
        self.breakdowns: list[Any] = []
        self.asked = threading.Event()

    def enter(self, order: EnterGroup) -> Holder:  # noqa: ARG002
        self.asked.set()
        return Holder("7", "b")

    def leave(self, key: str) -> None:
        """Nobody is in."""

    def close(self) -> None:
        """Nothing is open."""


def test_waiting_for_a_group_can_be_ended() -> None:
    """Whoever resumes a run and waits for its group may cancel."""
    journal = journal_of(RunStarted(), GroupEntered("d"), JobFinished("a", Result.FAILURE))

    def run_job(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
        return JobFinished(order.key, Result.CANCELLED)

    machine = fresh()
    resumption = resume(machine, journal)
    seen: list[events.RunEvent] = []
    run = LocalRun(
        machine,
        run_job,
        emit=seen.append,
        max_jobs=4,
        journal=journal,
        resumption=resumption,
        open_groups=Closed,
    )
    run.cancel("stop")

    assert run.run() is Result.FAILURE
    waiting = events.Waiting(job="d", name="d", group="g", holder_run="7", holder_job="b")
    assert seen[0] == waiting
    assert CancelRequested("stop") in list(journal.signals())
    assert any(isinstance(order, SkipJob) for order in resumption.orders)
