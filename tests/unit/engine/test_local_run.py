"""A run on this machine: places, breakdowns, cancellation, and events from many threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.plan.machines import CONTEXTS, job, workflow

from windlass.engine.announcements import announce
from windlass.engine.journals.memory import MemoryJournal
from windlass.engine.local import LocalRun
from windlass.errors import ExecutorError, PlatformError
from windlass.model.status import Result
from windlass.plan.decision import Decision, Verdict
from windlass.plan.orders import DropJob, RejectJob, SkipJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import JobFinished, RunStarted
from windlass.protocol import events

if TYPE_CHECKING:
    from windlass.jobs.cancellation import Cancellation
    from windlass.lang.workflow.model import Job
    from windlass.plan.orders import StartJob

PATIENCE_SECONDS = 60


def start(*jobs: Job, run_job: Any, max_jobs: int = 8) -> tuple[LocalRun, list[events.RunEvent]]:
    seen: list[events.RunEvent] = []
    machine = RunMachine(workflow(*jobs), CONTEXTS)
    return LocalRun(machine, run_job, emit=seen.append, max_jobs=max_jobs), seen


def succeed(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
    return JobFinished(order.key, Result.SUCCESS)


class TestPlaces:
    def test_jobs_run_side_by_side(self) -> None:
        """Two jobs that wait for each other both come to their end."""
        meeting = threading.Barrier(2, timeout=PATIENCE_SECONDS)

        def meet(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
            meeting.wait()
            return JobFinished(order.key, Result.SUCCESS)

        run, _ = start(job("a"), job("b"), run_job=meet)

        assert run.run() is Result.SUCCESS

    @pytest.mark.parametrize("max_jobs", [1, 2, 3])
    def test_never_more_jobs_than_places(self, max_jobs: int) -> None:
        """Jobs wait for a place in the order of the file."""
        lock, running, most, order_of_start = threading.Lock(), set(), [0], []

        def watch(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
            with lock:
                running.add(order.key)
                order_of_start.append(order.key)
                most[0] = max(most[0], len(running))
            with lock:
                running.discard(order.key)
            return JobFinished(order.key, Result.SUCCESS)

        jobs = [job(f"j{number}") for number in range(10)]
        run, _ = start(*jobs, run_job=watch, max_jobs=max_jobs)

        assert run.run() is Result.SUCCESS
        assert most[0] <= max_jobs
        if max_jobs == 1:
            assert order_of_start == [one.id for one in jobs]

    def test_a_job_for_which_there_is_no_thread_fails(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The system refuses it a thread: the run hears of its end, and the others run."""
        begin = threading.Thread.start

        def refuse(thread: threading.Thread) -> None:
            if thread.name == "b":
                raise RuntimeError("can't start new thread")
            begin(thread)

        monkeypatch.setattr(threading.Thread, "start", refuse)
        run, seen = start(job("a"), job("b"), job("c"), run_job=succeed, max_jobs=1)

        assert run.run() is Result.FAILURE
        assert [error.message for error in run.breakdowns] == [
            "The job was not begun: can't start new thread"
        ]
        (ended,) = (event for event in seen if isinstance(event, events.JobFinished))
        assert (ended.job, ended.started) == ("b", False)

    def test_a_long_chain_of_jobs(self) -> None:
        """A long chain needs no deep stack and leaves no thread behind."""
        count = 300
        chain = [job("j0"), *(job(f"j{n}", [f"j{n - 1}"]) for n in range(1, count))]
        before = set(threading.enumerate())
        run, _ = start(*chain, run_job=succeed)

        assert run.run() is Result.SUCCESS
        assert set(threading.enumerate()) <= before


class TestBreakdowns:
    def test_an_error_of_the_platform_fails_its_job_only(self) -> None:
        """The run goes on, the error is told and kept with its hint."""

        def break_a(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
            if order.key == "a":
                raise ExecutorError("no more processes", hint="Close some")
            return JobFinished(order.key, Result.SUCCESS)

        run, seen = start(job("a"), job("b"), job("c", ["a"], if_="failure()"), run_job=break_a)

        assert run.run() is Result.FAILURE
        (error,) = run.breakdowns
        assert error.message == "no more processes"
        annotation = next(event for event in seen if isinstance(event, events.Annotation))
        assert annotation.message == "no more processes. Close some"
        assert annotation.job == "a"

    def test_a_bug_in_a_job_is_told_as_one(self) -> None:
        """Nothing that is raised in a thread is lost or leaves the run waiting."""

        def fail(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
            raise KeyError("oops")

        run, _ = start(job("a"), run_job=fail)

        assert run.run() is Result.FAILURE
        assert "internal error: KeyError('oops')" in run.breakdowns[0].message


def wait_for_end(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
    """Run until asked to end; tell that the job has started."""
    ended = threading.Event()
    cancellation.listen(lambda _: ended.set(), ended.set)
    emit(events.JobStarted(job=order.key, name=order.name))
    assert ended.wait(PATIENCE_SECONDS)
    return JobFinished(order.key, Result.CANCELLED)


class TestCancellation:
    def test_cancelling_ends_running_jobs_and_those_without_a_place(self) -> None:
        """Whoever has no place yet ends without having started."""
        run, seen = start(job("a"), job("b"), run_job=wait_for_end, max_jobs=1)
        run.cancel("stop")

        assert run.run() is Result.CANCELLED
        dropped = [event for event in seen if isinstance(event, events.JobFinished)]
        assert [(event.job, event.result) for event in dropped] == [("b", Result.CANCELLED)]

    def test_forcing_reaches_jobs_that_start_later(self) -> None:
        """Once forced, a job with always() is told to end as it starts."""
        run, _ = start(job("a", if_="always()"), run_job=wait_for_end)
        run.force()

        assert run.run() is Result.CANCELLED


class TestEvents:
    def test_an_onlooker_that_breaks_ends_the_run(self) -> None:
        """A full disk kills the jobs at once and is raised by `run`, wherever it was met.

        The journal holds neither a cancellation nor the jobs' ends: they are to start again.
        """

        def refuse(event: events.RunEvent) -> None:
            raise OSError("full")

        before = set(threading.enumerate())
        journal = MemoryJournal()
        machine = RunMachine(workflow(job("a"), job("b", ["a"], if_="always()")), CONTEXTS)
        run = LocalRun(machine, wait_for_end, emit=refuse, max_jobs=1, journal=journal)

        with pytest.raises(OSError, match="full"):
            run.run()
        assert set(threading.enumerate()) <= before
        assert list(journal.signals()) == [RunStarted()]

    def test_no_job_begins_unseen(self) -> None:
        """A job of whose beginning nobody is told has been asked to end before its first step."""
        forced: list[bool] = []

        def refuse(event: events.RunEvent) -> None:
            raise OSError("full")

        def begin(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
            emit(events.JobStarted(job=order.key, name=order.name))
            ended = threading.Event()
            cancellation.listen(lambda _: None, ended.set)
            forced.append(ended.is_set())
            return JobFinished(order.key, Result.CANCELLED)

        machine = RunMachine(workflow(job("a"), job("b")), CONTEXTS)
        with pytest.raises(OSError, match="full"):
            LocalRun(machine, begin, emit=refuse, max_jobs=1).run()
        assert set(forced) == {True}

    def test_a_journal_that_breaks_ends_the_jobs(self) -> None:
        """Nothing runs on unseen after an error of the driver, and no end of a job is told."""

        class Full(MemoryJournal):
            def append(self, sequence: int, signal: Any, orders: Any) -> None:
                if sequence == 1:
                    raise PlatformError("the disk is full")
                super().append(sequence, signal, orders)

        before = set(threading.enumerate())
        machine = RunMachine(workflow(job("a"), job("b")), CONTEXTS)
        seen: list[events.RunEvent] = []

        def tell_end(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
            end = wait_for_end(order, cancellation, emit)
            emit(events.JobFinished(job=order.key, name="", result=end.result, seconds=0))
            return end

        run = LocalRun(machine, tell_end, emit=seen.append, max_jobs=2, journal=Full())
        run.cancel("stop")

        with pytest.raises(PlatformError, match="disk is full"):
            run.run()
        assert set(threading.enumerate()) <= before
        assert not any(isinstance(event, events.JobFinished) for event in seen)

    def test_one_event_at_a_time(self) -> None:
        """However many threads emit, the receiver is never entered twice."""
        inside, overlaps, seen = threading.Lock(), [], []

        def receive(event: events.RunEvent) -> None:
            if not inside.acquire(blocking=False):
                overlaps.append(event)
                return
            seen.append(event)
            inside.release()

        def talk(order: StartJob, cancellation: Cancellation, emit: Any) -> JobFinished:
            for number in range(200):
                emit(events.Output(job=order.key, step="s", text=str(number)))
            return JobFinished(order.key, Result.SUCCESS)

        machine = RunMachine(workflow(*[job(f"j{n}") for n in range(4)]), CONTEXTS)
        LocalRun(machine, talk, emit=receive, max_jobs=4).run()

        assert overlaps == []
        assert len(seen) == 800

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            pytest.param(
                SkipJob("a", "A", Decision(Verdict.SKIP, "because")),
                [events.JobSkipped(job="a", name="A", reason="because")],
                id="skipped",
            ),
            pytest.param(
                DropJob("a", "A", "stop"),
                [
                    events.JobFinished(
                        job="a", name="A", result=Result.CANCELLED, seconds=0.0, reason="stop"
                    )
                ],
                id="dropped",
            ),
            pytest.param(
                RejectJob("a", "A", "odd"),
                [
                    events.Annotation(job="a", step="", level="error", message="odd"),
                    events.JobFinished(
                        job="a", name="A", result=Result.FAILURE, seconds=0.0, started=False
                    ),
                ],
                id="rejected",
            ),
        ],
    )
    def test_orders_that_start_nothing_are_told(
        self, order: Any, expected: list[events.RunEvent]
    ) -> None:
        """Every job that ends has an event that says how."""
        assert list(announce(order)) == expected
