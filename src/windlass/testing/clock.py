"""Time that passes only when a test says so."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.clock import Stop


class ManualClock:
    """A clock at 0 seconds; `advance` makes timers go off, in the calling thread and in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0.0
        self._next = 0
        self._timers: dict[int, tuple[float, Callable[[], None]]] = {}

    def now(self) -> float:
        """Return the seconds that have been let pass."""
        with self._lock:
            return self._now

    def call_later(self, seconds: float, action: Callable[[], None]) -> Stop:
        """Call `action` once that many seconds have been let pass."""
        with self._lock:
            number = self._next
            self._next += 1
            self._timers[number] = (self._now + seconds, action)
        return lambda: self._stop(number)

    def advance(self, seconds: float) -> None:
        """Let time pass; timers set by timers go off too if their time comes."""
        with self._lock:
            end = self._now + seconds
        while (action := self._take_due(end)) is not None:
            action()

    def pending(self) -> int:
        """Return how many timers are set."""
        with self._lock:
            return len(self._timers)

    def _take_due(self, end: float) -> Callable[[], None] | None:
        """Move to the next timer up to `end` and return its action, or move to `end`."""
        with self._lock:
            due = min(
                ((at, number) for number, (at, _) in self._timers.items() if at <= end),
                default=None,
            )
            if due is None:
                self._now = end
                return None
            self._now = max(self._now, due[0])
            return self._timers.pop(due[1])[1]

    def _stop(self, number: int) -> None:
        with self._lock:
            self._timers.pop(number, None)
