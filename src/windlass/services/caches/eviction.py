"""Which caches go when there are too many bytes or nobody has used them for long: pure.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#usage-limits-and-eviction-policy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How many bytes all caches of a repository may have, and how many days one stays unused."""

    bytes: int = 10 << 30
    days: float = 7


GITHUB_LIMITS: Final = CacheLimits()


@dataclass(frozen=True, slots=True)
class Usage:
    """A finished cache as eviction sees it; `used` is when, in seconds since the epoch."""

    id: int
    size: int
    used: float


@dataclass(frozen=True, slots=True)
class Eviction:
    """A cache that goes, and why."""

    id: int
    size: int
    reason: str


def choose_evicted(
    usages: Iterable[Usage], now: float, limits: CacheLimits = GITHUB_LIMITS
) -> list[Eviction]:
    """Return what goes: what was unused for too long, then the least recently used.

    What stays is within the limit together.
    """
    evicted, has_room, taken = [], True, 0
    for usage in sorted(usages, key=lambda it: (it.used, it.id), reverse=True):
        if is_stale(usage.used, now, limits):
            evicted.append(Eviction(usage.id, usage.size, f"unused for over {limits.days:g} days"))
        elif has_room and taken + usage.size <= limits.bytes:
            taken += usage.size
        else:
            has_room = False
            reason = f"the least recently used, beyond {limits.bytes} bytes"
            evicted.append(Eviction(usage.id, usage.size, reason))
    return evicted[::-1]


def is_stale(used: float, now: float, limits: CacheLimits = GITHUB_LIMITS) -> bool:
    """Tell whether a cache was unused for too long."""
    return now - used > limits.days * DAY
