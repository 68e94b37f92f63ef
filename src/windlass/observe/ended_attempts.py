"""Attempts that have ended, each shown once to whoever counts or traces them.

Several processes look; one of them takes an attempt and observes it. It is not the one whose
runners were at work that matters, nor whether that one still lives: what is observed stands in the
database. A process that dies while it observes leaves a gap in the figures, and nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from windlass.db.announcements import read_page
from windlass.db.figures import list_waits
from windlass.db.observations import list_unobserved, take_observation
from windlass.db.runs import list_attempts
from windlass.errors import PlatformError
from windlass.model.values import dataclass, replace
from windlass.protocol import events
from windlass.protocol.event_lines import read_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.db.connections import Store
    from windlass.db.runs import AttemptRow
    from windlass.protocol.events import RunEvent

LOOK_SECONDS: Final = 1.0
OLDEST_SECONDS: Final = 3600.0
"""What ended longer ago is left out: history that a new server was given is no news."""

RECENT_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 300.0
"""Between two looks at all that is no history; the others are at what has ended recently, however
much a busy hour has left that was observed long ago."""

ATTEMPTS_AT_ONCE: Final = 50
LINES_AT_ONCE: Final = 256
LETTERS_AT_ONCE: Final = 1 << 20
LONGEST_MESSAGE: Final = 2048
MOST_EVENTS: Final = 100_000
"""What is told after so many of them is not observed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndedAttempt:
    """An attempt and what was told of it, each event with its time (seconds since the epoch).

    Of the events all that may be long is cut off: scripts, outputs, summaries, messages.
    `waits` are the seconds for which its jobs were in the queue.
    """

    row: AttemptRow
    events: Sequence[tuple[RunEvent, float]]
    waits: Sequence[float] = ()


class EndedAttempts:
    """Looks for attempts that have ended, in a thread of its own."""

    def __init__(
        self,
        store: Store,
        observers: Sequence[Callable[[EndedAttempt], None]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._observers = observers
        self._now = now
        self._looked_far = float("-inf")
        self._ending = threading.Event()
        self._thread = threading.Thread(
            target=self._look_often, name="windlass-observe", daemon=True
        )

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look for the last time, and end."""
        self._ending.set()
        self._thread.join()

    def look(self) -> int:
        """Show what has ended since; return how many attempts that were.

        Raises:
            PlatformError: the database cannot be used.
        """
        count, now = 0, self._now()
        is_far = not 0 <= now - self._looked_far < PAUSE_SECONDS
        since = now - (OLDEST_SECONDS if is_far else RECENT_SECONDS)
        while found := list_unobserved(self._store, since, ATTEMPTS_AT_ONCE):
            for run, attempt in found:
                with self._store.writing() as connection:
                    is_mine = take_observation(connection, run, attempt)
                if is_mine:
                    count += 1
                    self._show(run, attempt)
        if is_far:
            self._looked_far = now
        return count

    def _look_often(self) -> None:
        is_broken = False
        while True:
            is_last = self._ending.wait(LOOK_SECONDS)
            try:
                self.look()
                is_broken = False
            except PlatformError as error:
                if not is_broken:
                    _log.warning("what has ended is not observed: %s", error.message)
                is_broken = True
            except Exception:  # noqa: BLE001 (a worker's loop: nobody would go on in its place)
                _log.exception("what has ended is not observed")
            if is_last:
                return

    def _show(self, run: str, attempt: int) -> None:
        rows = [row for row in list_attempts(self._store, run) if row.attempt == attempt]
        if not rows:
            return
        told = self._read_events(run, attempt)
        ended = EndedAttempt(rows[0], told, list_waits(self._store, run, attempt))
        for observe in self._observers:
            try:
                observe(ended)
            except Exception:  # noqa: BLE001 (the others are to know, and the next ones)
                _log.exception("attempt %s of run %s could not be observed", attempt, run)

    def _read_events(self, run: str, attempt: int) -> list[tuple[RunEvent, float]]:
        found: list[tuple[RunEvent, float]] = []
        first = 0
        while len(found) < MOST_EVENTS and (
            lines := read_page(self._store, run, attempt, first, LINES_AT_ONCE, LETTERS_AT_ONCE)
        ):
            first += len(lines)
            told = [it for line in lines if (it := read_event(line)) is not None]
            found += [(_shorten(event), time) for event, time in told]
        return found


def _shorten(event: RunEvent) -> RunEvent:
    """Return an event without what may be long and nobody observes."""
    match event:
        case events.StepStarted():
            return replace(event, script="")
        case events.JobFinished():
            return replace(event, outputs={})
        case events.Summary():
            return replace(event, markdown="")
        case events.Output():
            return replace(event, text="")
        case events.Annotation():
            return replace(event, message=event.message[:LONGEST_MESSAGE], properties={})
        case _:
            return event
