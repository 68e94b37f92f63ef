"""A step under way, as other threads may end it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from windlass.jobs.cancellation import GentleEnd

if TYPE_CHECKING:
    from windlass.jobs.clock import Clock
    from windlass.jobs.executors.interface import Ending


class RunningStep:
    """Ends a step's process, or will do so as soon as there is one.

    `cancelled` and `timed_out` say why the step was ended; a kill counts as a cancellation.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._end: GentleEnd | None = None
        self.killed = False
        self.cancelled = False
        self.timed_out = False

    def end(self, *, timed_out: bool = False) -> None:
        """End the step in GitHub's three steps, because its time or that of its job is over."""
        with self._lock:
            if timed_out:
                self.timed_out = True
            else:
                self.cancelled = True
            if self._end is not None:
                self._end.begin()

    def kill(self) -> None:
        """End the step at once."""
        with self._lock:
            self.cancelled = self.killed = True
            if self._end is not None:
                self._end.kill()

    def attach(self, process: Ending) -> None:
        """Name the process that is to be ended; it may be too late for it already."""
        with self._lock:
            self._end = GentleEnd(process, self._clock)
            if self.killed:
                self._end.kill()
            elif self.cancelled or self.timed_out:
                self._end.begin()

    def detach(self) -> None:
        """The process has ended."""
        with self._lock:
            if self._end is not None:
                self._end.call_off()
