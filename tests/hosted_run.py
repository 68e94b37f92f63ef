"""A run of a server, played in one process: what runners would do is done by threads here.

It has what `windlass.engine.local.LocalRun` has, so a scenario can be played on either.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tests.journals import attempt_row

from windlass.db.announcements import read_announcements
from windlass.db.inbox import list_letters
from windlass.db.jobs import claim_job, list_queued, list_running
from windlass.db.runs import enter_attempt, list_attempts
from windlass.engine.announcements import announce_breakdown, serialise
from windlass.engine.journals.server import ServerJournal
from windlass.engine.key_cover import KeyCover
from windlass.engine.server.runs import ServerRuns, Staged
from windlass.errors import PlatformError
from windlass.jobs.cancellation import Cancellation
from windlass.model.status import Result
from windlass.plan.orders import StartJob
from windlass.plan.signals import CancelRequested, JobFinished
from windlass.protocol.event_lines import read_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.db.connections import Store
    from windlass.engine.machine import Machine
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal
    from windlass.protocol.events import RunEvent

RUNNER = "a"
PATIENCE_SECONDS = 120


class _Listening:
    """A machine whose orders to start a job are remembered by key."""

    def __init__(self, machine: Machine, starts: dict[str, StartJob]) -> None:
        self._machine = machine
        self._starts = starts

    def receive(self, signal: Signal) -> list[Order]:
        orders = list(self._machine.receive(signal))
        self._starts.update((it.key, it) for it in orders if isinstance(it, StartJob))
        return orders


class HostedRun:
    """One run, of which this process plays server and runner."""

    def __init__(
        self,
        store: Store,
        make_machine: Callable[[], Machine],
        run_job: Callable[[StartJob, Cancellation, Callable[[RunEvent], None]], JobFinished],
        *,
        emit: Callable[[RunEvent], None],
        max_jobs: int,
    ) -> None:
        self._store = store
        self._make_machine = make_machine
        self._run_job = run_job
        self._emit = serialise(emit)
        self._max_jobs = max_jobs
        self._starts: dict[str, StartJob] = {}
        self._running: dict[str, Cancellation] = {}
        self._forced = False
        self._told = 0
        self._changes = threading.Semaphore(0)
        self.row = attempt_row()
        self.runs = ServerRuns(store, self.open_attempt, self._notice)

    @property
    def journal(self) -> ServerJournal:
        """What the database holds of the run."""
        return ServerJournal(self._store, "1", 1, KeyCover(lambda text: text))

    def open_attempt(self, _run: str, _attempt: int) -> Staged:
        """Find what a run is made of, as a server does that has just started."""
        return Staged(
            "octo/boat",
            _Listening(self._make_machine(), self._starts),
            self.journal,
            KeyCover(lambda text: text),
        )

    def run(self) -> Result:
        """Play the run to its end."""
        with self._store.writing() as connection:
            enter_attempt(connection, self.row)
            self.runs.begin(connection, "1", 1, self.open_attempt("1", 1))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (result := list_attempts(self._store, "1")[0].result) is None or self._running:
            assert time.monotonic() < deadline, "the run does not end"
            self._look()
            self._changes.acquire(timeout=0.05)
        self._look()
        assert list_letters(self._store, 1) == []
        return result

    def cancel(self, reason: str) -> None:
        """Ask the run to end: told by a thread of its own, as by a user's request."""
        threading.Thread(target=self.runs.tell, args=("1", 1, CancelRequested(reason))).start()

    def force(self) -> None:
        """Kill what runs."""
        self._forced = True
        for cancellation in list(self._running.values()):
            cancellation.force()

    def _notice(self, _run: str, _attempt: int) -> None:
        self._changes.release()

    def _look(self) -> None:
        """Do what a server and a runner do when something has changed."""
        self.runs.deliver()
        for line in read_announcements(self._store, "1", 1, self._told):
            self._told += 1
            told = read_event(line)
            assert told is not None
            self._emit(told[0])
        for row in list_running(self._store, RUNNER):
            if row.reason is not None and row.job in self._running:
                self._running[row.job].request(row.reason)
        for row in list_queued(self._store, self._max_jobs - len(self._running)):
            with self._store.writing() as connection:
                if claim_job(connection, row, RUNNER, time.time()):
                    cancellation = self._running[row.job] = Cancellation()
                    if self._forced:
                        cancellation.force()
                    order = self._starts[row.job]
                    threading.Thread(target=self._work, args=(order, cancellation)).start()

    def _work(self, order: StartJob, cancellation: Cancellation) -> None:
        try:
            end = self._run_job(order, cancellation, self._emit)
            self.runs.tell("1", 1, end)
        except PlatformError as error:
            for event in announce_breakdown(order, error):
                self._emit(event)
            self.runs.tell("1", 1, JobFinished(order.key, Result.FAILURE, started=False))
        finally:
            del self._running[order.key]
            self._changes.release()
