"""When a `cron` line comes next, and what is done about times that nobody was there for.

Times are those of a wall clock in the line's time zone. Where that is put forward, a line of an
hour that is left out comes right after it; where it is put back, one of an hour that comes twice
comes once.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from windlass.errors import InvalidError
from windlass.model.values import dataclass

CATCH_UP_SECONDS: Final = 3600.0
"""A time that was missed by no more than this, since no server was there, is made up for once."""

DEFAULT_ZONE: Final = "UTC"
_NEVER: Final = 253_000_000_000.0
"""In the year 9987: the next time of a line that has none within fifty years."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What is due now: the time to `fire` for, None where it was missed, and the `next` time."""

    fire: float | None
    next: float


def find_next(cron: str, timezone: str, after: float) -> float:
    """Return the first time of a line behind a moment, both in seconds since the epoch.

    Raises:
        InvalidError: there is no such time zone, or the line is none.
    """
    # Imported only by a server that has schedules.
    from cronsim import CronSim, CronSimError

    moment = _read_moment(after, timezone)
    try:
        return next(CronSim(cron, moment)).timestamp()
    except StopIteration:
        return _NEVER
    except (CronSimError, OverflowError) as error:
        raise InvalidError(f"'{cron}' is no cron line: {error}") from error


def find_last(cron: str, timezone: str, now: float, since: float) -> float:
    """Return the last time of a line up to a moment; `since` is one of its times before that.

    Raises:
        InvalidError: there is no such time zone, or the line is none.
    """
    from cronsim import CronSim, CronSimError

    behind = _read_moment(now, timezone).replace(microsecond=0) + timedelta(seconds=1)
    try:
        return max(since, next(CronSim(cron, behind, reverse=True)).timestamp())
    except StopIteration:
        return since
    except (CronSimError, OverflowError) as error:
        raise InvalidError(f"'{cron}' is no cron line: {error}") from error


def judge_due(
    cron: str, timezone: str, due: float, now: float, catch_up: float = CATCH_UP_SECONDS
) -> Tick:
    """Decide what to do about a line whose time has come; of several that were missed the last.

    Raises:
        InvalidError: there is no such time zone, or the line is none.
    """
    last = find_last(cron, timezone, now, due)
    fire = last if now - last <= catch_up else None
    return Tick(fire, find_next(cron, timezone, now))


def _read_moment(seconds: float, timezone: str) -> datetime:
    try:
        zone = ZoneInfo(timezone)
    except (OSError, ValueError, KeyError) as error:
        raise InvalidError(f"there is no time zone '{timezone}'") from error
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone)
