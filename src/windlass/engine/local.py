"""One run on this machine, from its first signal to its last, in the calling thread."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

from windlass.engine.announcements import announce_wait, serialise
from windlass.engine.dispatch import LocalDispatcher
from windlass.engine.driver import drive
from windlass.engine.groups.memory import MemoryGroups
from windlass.engine.journals.memory import MemoryJournal
from windlass.engine.resumption import UNBEGUN
from windlass.plan.orders import EnterGroup, LeaveGroup
from windlass.plan.signals import CancelRequested, GroupDenied, GroupEntered, JobCancelRequested

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.engine.groups.interface import Groups
    from windlass.engine.journals.interface import Journal
    from windlass.engine.machine import Machine
    from windlass.engine.resumption import Resumption
    from windlass.errors import WindlassError
    from windlass.jobs.cancellation import Cancellation
    from windlass.model.status import Result
    from windlass.plan.orders import Order, StartJob
    from windlass.plan.signals import JobFinished, Signal
    from windlass.protocol.events import RunEvent

    RunJob = Callable[[StartJob, Cancellation, Callable[[RunEvent], None]], JobFinished]


class _Force:
    """Asks the run's own thread to kill what runs."""


class _Abandon:
    """Asks the run's own thread to leave the run as it is, to be resumed."""


class LocalRun:
    """A run that can be cancelled from any thread, and from a signal handler, while it runs.

    `run_job` runs one job to its end in the calling thread; it gets the order, what tells it to
    end, and where its events go. `emit` gets one event at a time. Once it raises, as it does where
    the disk is full, the run is abandoned: what runs is killed, and `run` raises the same. Neither
    the journal nor `emit` hears of that, so a resumption starts again what was killed.
    """

    def __init__(
        self,
        machine: Machine,
        run_job: RunJob,
        *,
        emit: Callable[[RunEvent], None],
        max_jobs: int,
        journal: Journal | None = None,
        resumption: Resumption = UNBEGUN,
        open_groups: Callable[[Callable[[Signal], None]], Groups] = MemoryGroups,
    ) -> None:
        """Take a machine, which has been told all that `resumption` counts.

        `open_groups` gets what takes signals and returns the concurrency groups of this run.
        """
        self._machine = machine
        self._resumption = resumption
        self._journal = journal or MemoryJournal()
        # A SimpleQueue may be filled by a signal handler that interrupts whoever waits for it.
        # What asks for force goes the same way, since a handler may not wait for a lock.
        self._signals: queue.SimpleQueue[Signal | _Force | _Abandon] = queue.SimpleQueue()
        self._open_groups = open_groups
        self._groups: Groups | None = None
        self._emit = emit
        self._trouble: Exception | None = None
        self._is_abandoned = False
        self._emit_alone = serialise(self._tell)
        self._run_job = run_job
        self._dispatcher = LocalDispatcher(
            self._start_job, send=self._signals.put, emit=self._emit_alone, max_jobs=max_jobs
        )

    def run(self) -> Result:
        """Run to the end and return the run's result.

        Raises:
            PlatformError: the journal cannot be written.
            Exception: whatever `emit` raised.
        """
        try:
            self._hold_groups(self._resumption.held)
            result = drive(
                self._machine,
                journal=self._journal,
                next_signal=self._next_signal,
                carry_out=self._carry_out,
                resumption=self._resumption,
            )
        except BaseException:
            self._is_abandoned = True
            self._dispatcher.force()
            raise
        finally:
            self._dispatcher.join()
            if self._groups is not None:
                self._groups.close()
        if self._trouble is not None:
            raise self._trouble
        return result

    def _hold_groups(self, orders: Sequence[EnterGroup]) -> None:
        """Enter groups again, and wait until that is done or somebody wants the run to end.

        What cannot be entered again is asked to end: it has begun already.
        """
        missing = {order.key for order in orders}
        for order in orders:
            self._carry_out(order)
        later: list[Signal | _Force | _Abandon] = []
        ends = CancelRequested | _Force | _Abandon
        while missing and not any(isinstance(it, ends) for it in later):
            signal = self._signals.get()
            if isinstance(signal, GroupEntered | GroupDenied) and signal.key in missing:
                missing.remove(signal.key)
                if isinstance(signal, GroupDenied):
                    later.append(JobCancelRequested(signal.key, signal.reason))
            else:
                later.append(signal)
        for it in later:
            self._signals.put(it)

    def _carry_out(self, order: Order) -> None:
        if isinstance(order, EnterGroup):
            if self._groups is None:
                self._groups = self._open_groups(self._signals.put)
            if (holder := self._groups.enter(order)) is not None:
                self._emit_alone(announce_wait(order, holder))
        elif isinstance(order, LeaveGroup) and self._groups is not None:
            self._groups.leave(order.key)
        else:
            self._dispatcher.carry_out(order)

    def cancel(self, reason: str) -> None:
        """Ask the run to end as GitHub ends one: conditions decide what still runs."""
        self._signals.put(CancelRequested(reason))

    def cancel_job(self, key: str, reason: str) -> None:
        """Ask one job to end; harmless where it does not run."""
        self._signals.put(JobCancelRequested(key, reason))

    def force(self) -> None:
        """Kill what runs and let nothing else start."""
        self._signals.put(_Force())

    def _start_job(self, order: StartJob, cancellation: Cancellation) -> JobFinished:
        """Run a job, which ends as soon as an event of it is not told: nothing runs unseen."""

        def emit(event: RunEvent) -> None:
            self._emit_alone(event)
            if self._is_abandoned:
                cancellation.force()

        return self._run_job(order, cancellation, emit)

    def _tell(self, event: RunEvent) -> None:
        """Pass an event on; what goes wrong there must not tear a job's thread down."""
        if self._is_abandoned:
            return
        try:
            self._emit(event)
        except Exception as error:  # noqa: BLE001 (raised again by `run`)
            self._trouble, self._is_abandoned = error, True
            self._signals.put(_Abandon())

    def _next_signal(self) -> Signal:
        while True:
            signal = self._signals.get()
            if isinstance(signal, _Force):
                self._dispatcher.force()
            elif isinstance(signal, _Abandon):
                assert self._trouble is not None  # noqa: S101 (it is why the run is abandoned)
                raise self._trouble
            else:
                return signal

    @property
    def breakdowns(self) -> tuple[WindlassError, ...]:
        """The errors of the platform that jobs met."""
        of_groups = self._groups.breakdowns if self._groups is not None else ()
        return (*self._dispatcher.breakdowns, *of_groups)
