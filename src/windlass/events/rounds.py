"""Something that is done again and again, as long as a server runs."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.clock import Clock, Stop

_log = logging.getLogger(__name__)


class Rounds:
    """Does something every few seconds; a round that takes longer is waited for, not doubled.

    `submit` has it done in another thread: those who wait for the clock must not wait for it.
    """

    def __init__(
        self,
        clock: Clock,
        seconds: float,
        go: Callable[[], None],
        submit: Callable[[Callable[[], None]], object],
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._go = go
        self._submit = submit
        self._lock = threading.Lock()
        self._stop: Stop | None = None
        self._running = False

    def start(self) -> None:
        """Begin, with a first round at once."""
        with self._lock:
            self._running = True
        self._submit(self._do)

    def stop(self) -> None:
        """Begin no further round; one that is under way is not waited for."""
        with self._lock:
            self._running = False
            if self._stop is not None:
                self._stop()

    def _do(self) -> None:
        try:
            self._go()
        except Exception:  # noqa: BLE001 (a worker's loop: whatever it is, the next round comes)
            _log.exception("a round has failed")
        finally:
            with self._lock:
                if self._running:
                    self._stop = self._clock.call_later(self._seconds, self._next)

    def _next(self) -> None:
        if self._running:
            self._submit(self._do)
