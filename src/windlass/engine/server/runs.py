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
from typing import TYPE_CHECKING, Final, Protocol

from windlass.db.announcements import add_announcements
from windlass.db.groups import MemberRow
from windlass.db.inbox import list_letters, take_letter
from windlass.db.jobs import ask_to_end, end_job, find_job, queue_job
from windlass.db.runs import finish_attempt, lock_attempt
from windlass.engine.announcements import announce
from windlass.engine.resumption import replay
from windlass.engine.server.groups import enter_group, leave_groups
from windlass.model.status import Result
from windlass.model.values import dataclass, field, replace
from windlass.plan.orders import CancelJob, DropJob, EnterGroup, FinishRun, LeaveGroup, StartJob
from windlass.plan.signals import JobFinished, RunStarted
from windlass.protocol.event_lines import write_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from windlass.db.connections import Connection, Store
    from windlass.engine.journals.server import ServerJournal
    from windlass.engine.key_cover import KeyCover
    from windlass.engine.machine import Machine
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal
    from windlass.protocol.events import RunEvent

_LETTERS_AT_ONCE: Final = 100
_MOST_MACHINES: Final = 200
"""So many machines are kept in memory; those of other runs are told their journals again."""


@dataclass(slots=True)
class Staged:
    """One attempt as this process knows it: its machine has been told `count` signals.

    `starts` are its orders to start a job, by what stands for the job's key in the database.
    """

    repository: str
    machine: Machine
    journal: ServerJournal
    cover: KeyCover
    count: int = 0
    starts: dict[str, StartJob] = field(default_factory=dict)

    def note(self, orders: Iterable[Order]) -> None:
        """Remember which jobs are to start, and forget nothing: a claim may be told twice."""
        for order in orders:
            if isinstance(order, StartJob):
                self.starts[self.cover.cover(order.key)] = order


class OpenAttempt(Protocol):
    """Finds what an attempt is made of; its machine has been told nothing yet."""

    def __call__(self, run: str, attempt: int, /) -> Staged: ...


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
        self._staged: dict[tuple[str, int], Staged] = {}
        self._busy: dict[tuple[str, int], threading.Lock] = {}

    def begin(self, connection: Connection, run: str, attempt: int, staged: Staged) -> None:
        """Take the first step of an attempt, in the transaction in which it is entered."""
        self._take(connection, run, attempt, staged, RunStarted())

    def tell(self, run: str, attempt: int, signal: Signal) -> bool:
        """Tell an attempt what has happened; False where it has ended, or knew it already.

        Raises:
            PlatformError: the database cannot be used, and nothing has been told.
        """
        with self._alone(run, attempt), self._store.writing() as connection:
            told = self._tell(connection, run, attempt, signal)
        self._changed(run, attempt)
        return told

    def find_start(self, run: str, attempt: int, job: str) -> StartJob | None:
        """Return the order to start a job; None where its attempt has ended, or gave none.

        Raises:
            PlatformError: the database cannot be used.
        """
        with self._alone(run, attempt), self._store.writing() as connection:
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
        """Tell runs what is in their inboxes, until nothing is; return how much that was."""
        count = 0
        while letters := list_letters(self._store, _LETTERS_AT_ONCE):
            for letter in letters:
                count += self._deliver(letter.ticket, letter.run, letter.attempt, letter.signal)
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

    def _tell(self, connection: Connection, run: str, attempt: int, signal: Signal) -> bool:
        staged = self._find(connection, run, attempt)
        if staged is None:
            return False
        if isinstance(signal, JobFinished):
            job = staged.cover.cover(signal.key)
            if not end_job(connection, run, attempt, job):
                return False
        self._take(connection, run, attempt, staged, signal)
        return True

    def _alone(self, run: str, attempt: int) -> _Alone:
        """Keep this process's other threads from an attempt; what fails there is forgotten."""
        with self._lock:
            lock = self._busy.setdefault((run, attempt), threading.Lock())
        return _Alone(lock, lambda: self._staged.pop((run, attempt), None))

    def _find(self, connection: Connection, run: str, attempt: int) -> Staged | None:
        """Return an attempt whose machine knows all that its journal does; None of an ended one."""
        if not lock_attempt(connection, run, attempt):
            self._staged.pop((run, attempt), None)
            self._busy.pop((run, attempt), None)
            return None
        staged = self._staged.get((run, attempt))
        if staged is not None and staged.count == staged.journal.count(connection):
            return staged
        staged = self._open_attempt(run, attempt)
        for _, orders in replay(staged.machine, staged.journal):
            staged.note(orders)
            staged.count += 1
        if len(self._staged) >= _MOST_MACHINES:
            self._staged.pop(next(iter(self._staged)), None)
        self._staged[run, attempt] = staged
        return staged

    def _take(
        self, connection: Connection, run: str, attempt: int, staged: Staged, first: Signal
    ) -> None:
        """Tell a machine a signal, and whatever its orders answer at once."""
        signals = deque([first])
        while signals:
            signal = signals.popleft()
            orders = staged.machine.receive(signal)
            staged.journal.add(connection, staged.count, signal, orders)
            staged.count += 1
            staged.note(orders)
            for order in orders:
                signals.extend(_keep(connection, run, attempt, staged, order))


class _Alone:
    """Holds a lock; `forget` is called where what is done meanwhile fails."""

    def __init__(self, lock: threading.Lock, forget: Callable[[], object]) -> None:
        self._held = lock
        self._forget = forget

    def __enter__(self) -> None:
        self._held.acquire()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._forget()
        self._held.release()


def _keep(
    connection: Connection, run: str, attempt: int, staged: Staged, order: Order
) -> Iterator[Signal]:
    """Carry an order out as far as the database is concerned; yield what answers it at once."""
    now = time.time()
    _say(connection, run, attempt, order)
    match order:
        case StartJob():
            job = staged.cover.cover(order.key)
            queue_job(connection, run, attempt, job, order.labels, now)
        case CancelJob():
            yield from _cancel(connection, run, attempt, staged, order)
        case EnterGroup():
            member = MemberRow(run, attempt, staged.cover.cover(order.key), "waiting")
            answer = enter_group(connection, member, staged.repository, order.concurrency)
            if answer is not None:
                yield replace(answer, key=order.key)
        case LeaveGroup():
            leave_groups(connection, run, attempt, staged.cover.cover(order.key))
        case FinishRun():
            leave_groups(connection, run, attempt)
            finish_attempt(connection, run, attempt, now, order.result)
        case _:
            pass


def _cancel(
    connection: Connection, run: str, attempt: int, staged: Staged, order: CancelJob
) -> Iterator[Signal]:
    job = staged.cover.cover(order.key)
    row = find_job(connection, run, attempt, job)
    if row is not None and row.state == "queued" and end_job(connection, run, attempt, job):
        _say(connection, run, attempt, DropJob(order.key, order.key, order.reason))
        yield JobFinished(order.key, Result.CANCELLED)
    else:
        ask_to_end(connection, run, attempt, job, order.reason)


def _say(connection: Connection, run: str, attempt: int, order: Order) -> None:
    lines = [write_event(event, time.time()) for event in announce(order)]
    if lines:
        add_announcements(connection, run, attempt, lines)
