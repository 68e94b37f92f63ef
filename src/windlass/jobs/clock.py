"""Time as a job needs it, so that tests can pass it by hand."""

from __future__ import annotations

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
    """The machine's own time; a timer is a thread that is not waited for at exit."""

    def now(self) -> float:
        """Return the monotonic time in seconds."""
        return time.monotonic()

    def call_later(self, seconds: float, action: Callable[[], None]) -> Stop:
        """Start a timer."""
        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), action)
        timer.daemon = True
        timer.start()
        return timer.cancel
