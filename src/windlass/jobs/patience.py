"""How long a job waits for what it needs before its first step: images, ports, services."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Final

from windlass.plan.interruptions import OVERDUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.jobs.cancellation import Cancellation

_SECONDS_PER_MINUTE: Final = 60


class StartCancelledError(Exception):
    """The job is to end before it has begun."""


class Patience:
    """Waits while a job's place is made, until the job is cancelled or has taken too long."""

    def __init__(self, cancellation: Cancellation | None = None, minutes: int = 0) -> None:
        """Listen to the cancellation; who runs the job's steps listens in this one's place.

        The time of the job begins now; 0 minutes are no limit.
        """
        self._minutes = minutes
        self._deadline = time.monotonic() + minutes * _SECONDS_PER_MINUTE
        self._ended = threading.Event()
        self._overdue = False
        if cancellation is not None:
            cancellation.listen(lambda _: self._ended.set(), self._ended.set)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why there is no more patience, where nobody asked for the end."""
        if not self._overdue:
            return ()
        return (f"{OVERDUE} of {self._minutes} minutes.",)

    def pause(self, seconds: float) -> bool:
        """Wait; tell whether the job is to end."""
        return self._ended.wait(seconds)

    @contextlib.contextmanager
    def limited(self) -> Iterator[None]:
        """Have the job end when its time is over."""
        if self._minutes <= 0:
            yield
            return
        timer = threading.Timer(max(0, self._deadline - time.monotonic()), self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self) -> None:
        self._overdue = True
        self._ended.set()
