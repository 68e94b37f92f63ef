"""How a running job is asked to end, and how a running process is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.clock import Clock, Stop
    from windlass.jobs.executors.interface import Ending

SECONDS_AFTER_INTERRUPT = 7.5
SECONDS_AFTER_TERMINATE = 2.5
"""Source: actions/runner src/Runner.Sdk/ProcessInvoker.cs"""


class Cancellation:
    """A request to end one job, from any thread, before or while the job runs.

    `request` is polite: steps whose condition holds for a cancelled job still run. `force` ends the
    job at once. Either counts once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._forced = False
        self._on_request: Callable[[str], None] | None = None
        self._on_force: Callable[[], None] | None = None

    def request(self, reason: str) -> None:
        """Ask the job to end; `reason` is a sentence for people."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
            listener = self._on_request
        if listener is not None:
            listener(reason)

    def force(self) -> None:
        """End the job now: kill the running step and start no other."""
        with self._lock:
            if self._forced:
                return
            self._forced = True
            listener = self._on_force
        if listener is not None:
            listener()

    def listen(self, on_request: Callable[[str], None], on_force: Callable[[], None]) -> None:
        """Hear of requests; those already made are told at once."""
        with self._lock:
            self._on_request, self._on_force = on_request, on_force
            reason, forced = self._reason, self._forced
        if reason is not None:
            on_request(reason)
        if forced:
            on_force()


class GentleEnd:
    """Ends a process tree in GitHub's three steps: SIGINT, SIGTERM, SIGKILL."""

    def __init__(self, process: Ending, clock: Clock) -> None:
        self._process = process
        self._clock = clock
        self._lock = threading.Lock()
        self._begun = False
        self._over = False
        self._stop: Stop | None = None

    def begin(self) -> None:
        """Send the first signal and set the timer for the next; a second call does nothing."""
        with self._lock:
            if self._begun or self._over:
                return
            self._begun = True
            self._process.interrupt()
            self._stop = self._clock.call_later(SECONDS_AFTER_INTERRUPT, self._terminate)

    def kill(self) -> None:
        """Skip to the last signal."""
        with self._lock:
            if not self._over:
                self._process.kill()

    def call_off(self) -> None:
        """The process has ended: send nothing more."""
        with self._lock:
            self._over = True
            if self._stop is not None:
                self._stop()

    def _terminate(self) -> None:
        with self._lock:
            if not self._over:
                self._process.terminate()
                self._stop = self._clock.call_later(SECONDS_AFTER_TERMINATE, self.kill)
