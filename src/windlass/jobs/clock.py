"""Time as a job needs it, so that tests can pass it by hand."""

from __future__ import annotations

import heapq
import threading
import time
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Stop: TypeAlias = "Callable[[], None]"
"""Calls a timer off; harmless once it has gone off."""


class Clock(Protocol):
    """What tells the time and calls back later."""

    def now(self) -> float:
        """Return seconds since some fixed moment; never goes back."""

    def call_later(self, seconds: float, action: Callable[[], None]) -> Stop:
        """Call `action` once, from some thread, when that many seconds have passed."""


class SystemClock:
    """The machine's own time; one thread, not waited for at exit, calls back for all timers."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._calls: list[_Call] = []
        self._called_off = 0
        self._has_thread = False

    def now(self) -> float:
        """Return the monotonic time in seconds."""
        return time.monotonic()

    def call_later(self, seconds: float, action: Callable[[], None]) -> Stop:
        """Set a timer. What is called must be quick and must not raise: other timers wait."""
        call = _Call(self.now() + seconds, action)
        with self._changed:
            heapq.heappush(self._calls, call)
            if not self._has_thread:
                self._has_thread = True
                threading.Thread(target=self._watch, name="timers", daemon=True).start()
            elif self._calls[0] is call:
                self._changed.notify()
        return lambda: self._call_off(call)

    def _call_off(self, call: _Call) -> None:
        """Forget a timer; most are called off long before they are due."""
        with self._changed:
            if call.action is None:
                return
            call.action = None
            self._called_off += 1
            if self._called_off > len(self._calls) // 2:
                self._calls = [it for it in self._calls if it.action is not None]
                heapq.heapify(self._calls)
                self._called_off = 0

    def _watch(self) -> None:
        while True:
            self._wait_for_next()()

    def _wait_for_next(self) -> Callable[[], None]:
        with self._changed:
            while True:
                seconds = self._calls[0].due - self.now() if self._calls else None
                if seconds is None or seconds > 0:
                    self._changed.wait(seconds and min(seconds, threading.TIMEOUT_MAX))
                    continue
                call = heapq.heappop(self._calls)
                action, call.action = call.action, None
                if action is not None:
                    return action
                self._called_off -= 1


SYSTEM_CLOCK = SystemClock()
"""The clock of this process."""


class _Call:
    """One timer; without an action it was called off, or has gone off."""

    __slots__ = ("action", "due")

    def __init__(self, due: float, action: Callable[[], None]) -> None:
        self.due = due
        self.action: Callable[[], None] | None = action

    def __lt__(self, other: _Call) -> bool:
        return self.due < other.due
