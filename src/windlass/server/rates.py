"""How often somebody may ask: a bucket for each, from which every request takes one and that fills
at a steady rate.

Source: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

BURST_SECONDS: Final = 2.0
"""What nobody asked for so long may be asked at once."""

MOST_BUCKETS: Final = 10_000
"""So many askers are remembered; who has not asked for longest is forgotten."""

_INEXACT: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests `per_second` of the same `whose`: a token, an address."""

    whose: str
    per_second: float

    @property
    def at_once(self) -> int:
        """How many may come at once."""
        return max(1, int(self.per_second * BURST_SECONDS))


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many more requests may come at once, and in how many seconds all may that the rate
    allows. `wait` is in how many seconds this one may be answered, 0 where it may be now.
    """

    left: int
    seconds: float
    wait: float = 0.0


class Buckets:
    """The buckets of all who ask under one rate; to be used within one event loop."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        # When each bucket is full again: that says how much is in it at any time.
        self._full: OrderedDict[str, float] = OrderedDict()

    def take(self, who: str) -> Verdict:
        """Take one of what somebody has left, if there is one."""
        per_second, at_once = self.rate.per_second, self.rate.at_once
        now = self._clock()
        full = max(self._full.get(who, now), now) + 1 / per_second
        seconds = full - now
        missing = seconds * per_second
        # What was added up of many small times is not exact.
        if missing > at_once + _INEXACT:
            return Verdict(0, seconds, (missing - at_once) / per_second)
        self._full[who] = full
        self._full.move_to_end(who)
        if len(self._full) > MOST_BUCKETS:
            self._full.popitem(last=False)
        return Verdict(int(at_once - missing + _INEXACT), seconds)
