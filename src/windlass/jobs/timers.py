"""The timers of one job, by the names the job's machine gives them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.clock import Clock, Stop


class Timers:
    """Calls `fire` with a timer's name when its time has passed; may be used from any thread."""

    def __init__(self, clock: Clock, fire: Callable[[str], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._lock = threading.Lock()
        self._stops: dict[str, Stop] = {}
        self._closed = False

    def start(self, name: str, seconds: float) -> None:
        """Set a timer; one of the same name is set anew."""
        self.stop(name)
        with self._lock:
            if not self._closed:
                self._stops[name] = self._clock.call_later(seconds, lambda: self._fire(name))

    def stop(self, name: str) -> None:
        """Call a timer off; harmless where there is none or it has gone off."""
        with self._lock:
            stop = self._stops.pop(name, None)
        if stop is not None:
            stop()

    def close(self) -> None:
        """Call all timers off and set no others."""
        with self._lock:
            self._closed = True
            stops = list(self._stops.values())
            self._stops.clear()
        for stop in stops:
            stop()
