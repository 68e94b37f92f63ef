"""Waiting longer after each try that failed, and not all runners at the same moment."""

from __future__ import annotations

import random
from typing import Final

FIRST_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 3.0
"""Well below the time after which a server takes a runner for lost."""


class Backoff:
    """How long to wait before the next try."""

    def __init__(self, draw: random.Random | None = None) -> None:
        self._draw = draw or random.Random()  # noqa: S311 - nothing secret comes of it
        self._next = FIRST_SECONDS

    def fail(self) -> float:
        """Return how many seconds to wait after a try that has failed."""
        seconds = self._next * self._draw.uniform(0.5, 1.0)
        self._next = min(self._next * 2, LONGEST_SECONDS)
        return seconds

    def succeed(self) -> None:
        """Begin anew: a try has succeeded."""
        self._next = FIRST_SECONDS
