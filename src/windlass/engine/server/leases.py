"""What a process of a server watches over, for all processes on its database.

Every process does all of it; whatever is to be done is done in a transaction in which it still
holds, so two that do the same at a time do it once. One that dies leaves nothing behind that
another does not find within a moment: letters in inboxes, jobs of lost runners, jobs that nobody
takes.

Whether somebody was silent for too long is measured by this process's own steady clock, from the
moment at which it saw their last sign of life: clocks of machines differ, and jump. A process that
was stopped itself, or could not read the database, has heard of nobody meanwhile, and begins anew;
so does one that cannot write, for then nobody's sign of life is written down.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from windlass.db.jobs import list_orphaned, list_queued_before, list_running
from windlass.db.runners import is_unknown, list_busy, lock_silent
from windlass.db.servers import ServerRow, forget_server, list_servers, name_server, note_server
from windlass.engine.server.changes import INBOX, LONELY_SECONDS, LOOK_SECONDS
from windlass.engine.server.losses import Loss, lose_job
from windlass.engine.server.runs import always
from windlass.errors import DatabaseError, WindlassError
from windlass.model.status import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.db.connections import Store
    from windlass.db.runners import RunnerRow
    from windlass.engine.server.changes import Changes
    from windlass.engine.server.runs import ServerRuns

BEAT_SECONDS: Final = 1.0
"""So often a process gives a sign of life to others; while it is alone, every LONELY_SECONDS."""

LEASE_SECONDS: Final = 4.0
"""A process that has given no sign of life for so long counts as dead."""

GAP_SECONDS: Final = 6.0
"""Who was away itself for so long has heard of nobody meanwhile."""

QUEUE_SECONDS: Final = 24 * 3600.0
"""So long a job waits for a runner, then it fails.

Source: https://docs.github.com/en/actions/reference/limits
"""

_FORGOTTEN_SECONDS: Final = 60.0
_JOBS_AT_ONCE: Final = 100
_log = logging.getLogger(__name__)


class Silence:
    """How long others have given no new sign of life, by the clock that is given: in seconds."""

    def __init__(self, clock: Callable[[], float], longest_gap: float) -> None:
        """Take how long this process itself may be away before it knows nothing any more."""
        self._clock = clock
        self._longest_gap = longest_gap
        self._signs: dict[str, tuple[float, float]] = {}
        self._looked = clock()

    def look(self, signs: dict[str, float]) -> dict[str, float]:
        """Take the last sign of life of each; return since when each has given none that is new."""
        now = self._clock()
        if now - self._looked > self._longest_gap:
            self._signs.clear()
        self._looked = now
        known = self._signs
        self._signs = {
            name: known[name] if name in known and known[name][0] == sign else (sign, now)
            for name, sign in signs.items()
        }
        return {name: now - since for name, (_, since) in self._signs.items()}

    def forget(self) -> None:
        """Begin anew: signs of life were given that nobody could see."""
        self._signs.clear()


class Presence:
    """That this process is there, and which others are."""

    def __init__(
        self,
        store: Store,
        name: str,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the id of this process (`windlass.db.servers.name_server`)."""
        self._store = store
        self._now = now
        self.id = name
        self._started = now()
        self._silence = Silence(clock, GAP_SECONDS)
        self.others = 0
        """How many other processes were there at the last beat."""

    def beat(self) -> list[str]:
        """Give a sign of life; forget the processes that are dead, and return their ids.

        Raises:
            DatabaseError: it cannot be written.
        """
        with self._store.writing() as connection:
            note_server(connection, ServerRow(self.id, self._started, self._now()))
        others = {row.id: row.seen for row in list_servers(self._store) if row.id != self.id}
        silent = self._silence.look(others)
        dead = [name for name, seconds in silent.items() if seconds > LEASE_SECONDS]
        self.others = len(others) - len(dead)
        if dead:
            with self._store.writing() as connection:
                for name in dead:
                    forget_server(connection, name)
        return dead

    def leave(self) -> None:
        """Say that this process ends.

        Raises:
            DatabaseError: it cannot be written; the others will notice.
        """
        with self._store.writing() as connection:
            forget_server(connection, self.id)


class Watch:
    """Does what the module says in threads of its own, from `start` until `stop`."""

    def __init__(
        self,
        store: Store,
        runs: ServerRuns,
        changes: Changes,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        queue_seconds: float = QUEUE_SECONDS,
        name: str | None = None,
    ) -> None:
        """Take what is watched over, and the id of this process; a new one where none is given."""
        self._store = store
        self._runs = runs
        self._changes = changes
        self._now = now
        self._clock = clock
        self._queue_seconds = queue_seconds
        self._next_search = clock()
        self._began = (now(), clock())
        self._silence = Silence(clock, GAP_SECONDS)
        self.presence = Presence(store, name or name_server(), now, clock)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin."""
        loops = {"inbox": self._deliver_on, "watch": self._watch_on}
        for name, loop in loops.items():
            thread = threading.Thread(target=loop, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """End, and wait so long for what is being done."""
        self._stopping.set()
        self._changes.tell(INBOX)
        for thread in self._threads:
            thread.join(seconds)
        _try("it cannot be said that this server ends", self.presence.leave)

    def turn(self) -> None:
        """Give a sign of life and look once; what cannot be done now is done another time."""
        if _try("this server cannot say that it is there", self._beat):
            _try("lost runners cannot be looked for", self.look)
        else:
            self._silence.forget()

    def look(self) -> None:
        """Look once for lost runners and, from time to time, for jobs that nobody takes.

        Raises:
            DatabaseError: the database cannot be used.
        """
        self._find_lost()
        if (now := self._clock()) >= self._next_search:
            self._find_forgotten()
            self._next_search = now + _FORGOTTEN_SECONDS

    def _deliver_on(self) -> None:
        while not self._stopping.is_set():
            seen = self._changes.count(INBOX)
            if _try("letters cannot be delivered", self._runs.deliver):
                self._changes.wait(INBOX, seen, self._changes.pause)
            else:
                self._stopping.wait(LOOK_SECONDS)

    def _watch_on(self) -> None:
        while not self._stopping.is_set():
            self.turn()
            self._stopping.wait(BEAT_SECONDS if self.presence.others else LONELY_SECONDS)

    def _beat(self) -> None:
        for name in self.presence.beat():
            _log.warning("the server %s is gone; its work is done by those that are there", name)
        self._changes.note_others(self.presence.others)

    def _find_lost(self) -> None:
        """End the jobs of runners of which nothing was heard for too long."""
        busy = {row.id: row for row in list_busy(self._store)}
        silent = self._silence.look({name: row.seen for name, row in busy.items()})
        for name, seconds in silent.items():
            row = busy[name]
            if seconds > row.patience:
                self._lose(row)
        # Whoever has removed a runner ends its jobs then, and may have died in between.
        for job in list_orphaned(self._store, _JOBS_AT_ONCE):
            condition = partial(is_unknown, runner=job.runner or "")
            self._lose_job(Loss(job, "The runner of this job was removed", condition))

    def _lose(self, runner: RunnerRow) -> None:
        reason = (
            f"The runner '{runner.name}' was lost: nothing was heard of it for "
            f"{runner.patience:g} seconds"
        )
        _log.warning("%s", reason)
        condition = partial(lock_silent, runner=runner.id, seen=runner.seen)
        for job in list_running(self._store, runner.id):
            self._lose_job(Loss(job, reason, condition))

    def _lose_job(self, loss: Loss) -> None:
        job = loss.job

        def lose() -> None:
            try:
                lose_job(self._runs, loss)
            except DatabaseError:
                # Nobody's sign of life can be written then. What is wrong with this job alone
                # must not keep others from being found lost.
                self._silence.forget()
                raise

        _try(f"{job.run}/{job.attempt}/{job.number} cannot be ended", lose)

    def _find_forgotten(self) -> None:
        before = self._find_time() - self._queue_seconds
        for row in list_queued_before(self._store, before, _JOBS_AT_ONCE):
            hours = f"{self._queue_seconds / 3600:g}"
            message = (
                f"No runner has taken the job within {hours} hours: it needs one with the labels "
                f"{', '.join(row.labels) or '(none)'}"
            )
            end = partial(self._runs.end_job, row, Result.FAILURE, message, always, started=False)
            _try(f"{row.job} of run {row.run} cannot be ended", end)

    def _find_time(self) -> float:
        """Return the time, or less: no wait is over because a clock was set."""
        began, since = self._began
        return min(self._now(), began + self._clock() - since)


def _try(trouble: str, deed: Callable[..., object], *values: object) -> bool:
    """Do something of a loop that must not end; False where it could not be done."""
    try:
        deed(*values)
    except WindlassError as error:
        _log.warning("%s: %s", trouble, error)
    except Exception:  # noqa: BLE001 (a worker's loop: nobody would go on in its place)
        _log.exception("%s", trouble)
    else:
        return True
    return False
