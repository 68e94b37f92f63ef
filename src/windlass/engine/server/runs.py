"""The driver of a server: a signal comes in, the machine answers, all is kept in one transaction.

It is `windlass.engine.driver` without a loop: nobody waits for a run's next signal, a run in which
nothing happens is a row and nothing else. An order to start a job becomes a row of the queue, one
to enter a group a member of it; what that means for other runs is left in their inbox, and told
when the transaction has been committed. So a server that dies at any moment leaves either all of a
step or nothing, and whoever goes on finds what is still to be told.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from windlass.db.announcements import add_announcements
from windlass.db.inbox import list_letters, take_letter
from windlass.db.jobs import disown_job, end_job, list_jobs, queue_again
from windlass.db.reports import ask_report
from windlass.db.runs import lock_attempt
from windlass.engine.announcements import describe_end
from windlass.engine.resumption import replay
from windlass.engine.server.orders import break_off, force_all, keep_order, tell_of
from windlass.errors import DatabaseError, PlatformError, WindlassError
from windlass.model.values import dataclass, field
from windlass.plan.orders import StartJob
from windlass.plan.signals import CancelRequested, JobFinished, RunStarted
from windlass.protocol.event_lines import write_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from windlass.db.connections import Connection, Store
    from windlass.db.jobs import JobRow
    from windlass.engine.journals.server import ServerJournal
    from windlass.engine.key_cover import KeyCover
    from windlass.engine.machine import Machine
    from windlass.model.status import Result
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal
    from windlass.protocol.events import RunEvent

_LETTERS_AT_ONCE: Final = 100
_FAULTS: Final = (AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a machine raises that is told what it never was told before."""

_PUT_OFF_SECONDS: Final = 60.0
"""After so long a letter is tried again that could not be told, whatever was wrong with it."""

_MOST_MACHINES: Final = 200
"""So many machines are kept in memory; those of other runs are told their journals again."""


class StrandedError(PlatformError):
    """A run cannot be taken up: another version of Windlass has begun it, perhaps."""


@dataclass(slots=True)
class Staged:
    """One attempt as this process knows it: its machine has been told `count` signals.

    `starts` are its orders to start a job, by what stands for the job's key in the database. The
    jobs of `kept` count as they ended in the attempt before, by key, and are not started. Once
    somebody has asked for its end with force it is `forced`, and starts no other job.
    """

    repository: str
    machine: Machine
    journal: ServerJournal
    cover: KeyCover
    count: int = 0
    starts: dict[str, StartJob] = field(default_factory=dict)
    kept: Mapping[str, JobFinished] = field(default_factory=dict)
    forced: bool = False

    def note(self, signal: Signal, orders: Iterable[Order]) -> None:
        """Remember which jobs are to start, and forget nothing: a claim may be told twice."""
        self.count += 1
        self.forced |= isinstance(signal, CancelRequested) and signal.force
        for order in orders:
            if isinstance(order, StartJob):
                self.starts[self.cover.cover(order.key)] = order


class OpenAttempt(Protocol):
    """Finds what an attempt is made of; its machine has been told nothing yet."""

    def __call__(self, run: str, attempt: int, /) -> Staged: ...


Condition: TypeAlias = "Callable[[Connection], bool]"
"""What has to hold when something is done, asked in the transaction in which it is done."""


def always(_connection: Connection) -> bool:
    """Hold."""
    return True


class ServerRuns:
    """See the module. May be used from any number of threads, and of processes on one database.

    `open_attempt` finds what an attempt is made of. `changed` hears, after every transaction, of
    the attempt that it was about: `changed(run, attempt)`.
    """

    def __init__(
        self, store: Store, open_attempt: OpenAttempt, changed: Callable[[str, int], None]
    ) -> None:
        self._store = store
        self._open_attempt = open_attempt
        self._changed = changed
        self._lock = threading.Lock()
        self._put_off: dict[str, float] = {}
        """Letters that could not be told, and when to try again (`time.monotonic`)."""
        self._staged: dict[tuple[str, int], Staged] = {}
        self._busy: dict[tuple[str, int], _Turn] = {}

    def begin(self, connection: Connection, run: str, attempt: int, staged: Staged) -> None:
        """Take the first step of an attempt, in the transaction in which it is entered."""
        ask_report(connection, run, attempt, "start")
        self._take(connection, run, attempt, staged, RunStarted())
        # Should the transaction fail, the journal will not have what this machine was told.
        self._remember(run, attempt, staged)

    def notice(self, run: str, attempt: int) -> None:
        """Have those who wait hear of an attempt; after the commit of whoever has changed it."""
        self._changed(run, attempt)

    def tell(
        self,
        run: str,
        attempt: int,
        signal: Signal,
        *,
        number: int | None = None,
        also: Callable[[Connection], None] | None = None,
    ) -> bool:
        """Tell an attempt what has happened; False where it has ended, or knew it already.

        The end of a job counts only where it has the `number` that is named: one that was queued
        again has another. `also` is done in the same transaction, where it does count.

        Raises:
            PlatformError: the database cannot be used, and nothing has been told.
        """
        with self._alone(run, attempt), self._store.writing() as connection:
            told = self._tell(connection, run, attempt, signal, number)
            if told and also is not None:
                also(connection)
        self._changed(run, attempt)
        return told

    def end_job(
        self, row: JobRow, result: Result, message: str, condition: Condition, *, started: bool
    ) -> bool:
        """End a job of which nobody else will tell the end; onlookers are told why.

        False where `condition`, asked within the transaction, does not hold, or the row does not.
        With a run that cannot be taken up all of it ends: nobody could tell it of the job.
        """
        try:
            return self._end_job(row, result, message, condition, started=started)
        except StrandedError as error:
            reason = f"{message}. {error.message}"
            return self.break_off(row.run, row.attempt, result, reason, condition)

    def break_off(
        self,
        run: str,
        attempt: int,
        result: Result,
        reason: str,
        condition: Condition = always,
        also: Callable[[Connection], None] | None = None,
    ) -> bool:
        """End an attempt that cannot be taken up, and all of its jobs; see `end_job` and `tell`.

        Raises:
            PlatformError: the database cannot be used.
        """
        with self._alone(run, attempt), self._store.writing() as connection:
            if not lock_attempt(connection, run, attempt) or not condition(connection):
                return False
            jobs = list_jobs(self._store, run, attempt)
            break_off(connection, run, attempt, jobs, result, reason)
            if also is not None:
                also(connection)
        self._changed(run, attempt)
        return True

    def _end_job(
        self, row: JobRow, result: Result, message: str, condition: Condition, *, started: bool
    ) -> bool:
        run, attempt = row.run, row.attempt
        with self._alone(run, attempt), self._store.writing() as connection:
            staged = self._find(connection, run, attempt)
            order = None if staged is None else staged.starts.get(row.job)
            if staged is None or order is None or not condition(connection):
                return False
            end = JobFinished(order.key, result, started=started)
            if not end_job(connection, run, attempt, row.job, row.number):
                return False
            disown_job(connection, row)
            tell_of(connection, row, message, "error", describe_end(end, order.name))
            self._take(connection, run, attempt, staged, end)
        self._changed(run, attempt)
        return True

    def queue_again(self, row: JobRow, message: str, condition: Condition) -> bool:
        """Give a job that runs back to the queue; see `end_job`."""
        run, attempt = row.run, row.attempt
        with self._alone(run, attempt), self._store.writing() as connection:
            if not lock_attempt(connection, run, attempt) or not condition(connection):
                return False
            if not queue_again(connection, row, time.time()):
                return False
            tell_of(connection, row, message, "warning")
        self._changed(run, attempt)
        return True

    def find_start(self, run: str, attempt: int, job: str) -> StartJob | None:
        """Return the order to start a job; None where its attempt has ended, or gave none.

        Raises:
            PlatformError: the database cannot be used.
        """
        with self._alone(run, attempt):
            staged = self._staged.get((run, attempt))
            # An order does not change once it is given, whatever others have told the run since.
            if staged is not None and job in staged.starts:
                return staged.starts[job]
            with self._store.writing() as connection:
                staged = self._find(connection, run, attempt)
                return None if staged is None else staged.starts.get(job)

    def announce(self, run: str, attempt: int, events: Sequence[RunEvent]) -> None:
        """Keep what a job says of itself."""
        lines = [write_event(event, time.time()) for event in events]
        with self._store.writing() as connection:
            if lock_attempt(connection, run, attempt):
                add_announcements(connection, run, attempt, lines)
        self._changed(run, attempt)

    def deliver(self) -> int:
        """Tell runs what is in their inboxes, until nothing is; return how much that was.

        A run that cannot be told does not keep others from their letters; its own are tried
        again after a while.

        Raises:
            PlatformError: the database cannot be used, or a run cannot be told.
        """
        count, last = 0, ""
        failure: Exception | None = None
        now = time.monotonic()
        self._put_off = {it: again for it, again in self._put_off.items() if now < again}
        while letters := list_letters(self._store, _LETTERS_AT_ONCE, after=last):
            for letter in letters:
                last = letter.ticket
                if last in self._put_off:
                    continue
                try:
                    count += self._deliver(letter.ticket, letter.run, letter.attempt, letter.signal)
                except DatabaseError as error:
                    failure = failure or error
                except Exception as error:  # noqa: BLE001 (it is raised behind all others)
                    self._put_off[last] = now + _PUT_OFF_SECONDS
                    failure = failure or error
        if failure is not None:
            raise failure
        return count

    def _deliver(self, ticket: str, run: str, attempt: int, text: str) -> bool:
        with self._alone(run, attempt), self._store.writing() as connection:
            if not take_letter(connection, ticket):
                return False
            staged = self._find(connection, run, attempt)
            if staged is not None:
                self._take(connection, run, attempt, staged, staged.journal.text.read_signal(text))
        self._changed(run, attempt)
        return True

    def _tell(
        self, connection: Connection, run: str, attempt: int, signal: Signal, number: int | None
    ) -> bool:
        staged = self._find(connection, run, attempt)
        if staged is None:
            return False
        if isinstance(signal, JobFinished):
            job = staged.cover.cover(signal.key)
            if not end_job(connection, run, attempt, job, number):
                return False
        self._take(connection, run, attempt, staged, signal)
        return True

    @contextmanager
    def _alone(self, run: str, attempt: int) -> Iterator[None]:
        """Keep this process's other threads from an attempt; what fails there is forgotten."""
        key = (run, attempt)
        with self._lock:
            turn = self._busy.setdefault(key, _Turn())
            turn.users += 1
        try:
            with turn.lock:
                try:
                    yield
                except BaseException:
                    self._forget(run, attempt)
                    raise
        finally:
            with self._lock:
                turn.users -= 1
                if not turn.users:
                    self._busy.pop(key, None)

    def _find(self, connection: Connection, run: str, attempt: int) -> Staged | None:
        """Return an attempt whose machine knows all that its journal does; None of an ended one."""
        if not lock_attempt(connection, run, attempt):
            self._forget(run, attempt)
            return None
        staged = self._staged.get((run, attempt))
        if staged is not None and staged.count == staged.journal.count(connection):
            return staged
        staged = self._take_up(run, attempt)
        self._remember(run, attempt, staged)
        return staged

    def _take_up(self, run: str, attempt: int) -> Staged:
        """Return an attempt whose machine was told its journal again.

        Raises:
            StrandedError: that is not possible.
        """
        try:
            staged = self._open_attempt(run, attempt)
            for signal, orders in replay(staged.machine, staged.journal):
                staged.note(signal, orders)
        except DatabaseError:
            raise
        except WindlassError as error:
            raise StrandedError(error.message, hint=error.hint) from error
        except _FAULTS as error:
            message = f"the run cannot be taken up: {type(error).__name__}"
            raise StrandedError(message) from error
        return staged

    def _remember(self, run: str, attempt: int, staged: Staged) -> None:
        with self._lock:
            if len(self._staged) >= _MOST_MACHINES:
                self._staged.pop(next(iter(self._staged)), None)
            self._staged[run, attempt] = staged

    def _forget(self, run: str, attempt: int) -> None:
        with self._lock:
            self._staged.pop((run, attempt), None)

    def _take(
        self, connection: Connection, run: str, attempt: int, staged: Staged, first: Signal
    ) -> None:
        """Tell a machine a signal, and whatever its orders answer at once."""
        signals = deque([first])
        while signals:
            signal = signals.popleft()
            orders = staged.machine.receive(signal)
            staged.journal.add(connection, staged.count, signal, orders)
            staged.note(signal, orders)
            if isinstance(signal, CancelRequested) and signal.force:
                signals.extend(force_all(connection, run, attempt, staged, signal.reason))
            for order in orders:
                signals.extend(keep_order(connection, run, attempt, staged, order))


class _Turn:
    """The lock of an attempt, which is there while somebody holds it or waits for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
