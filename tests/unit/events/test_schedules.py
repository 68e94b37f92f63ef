"""When cron lines come, in their time zones, and what is done about times that were missed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from windlass.errors import InvalidError
from windlass.events.schedules import find_last, find_next, judge_due


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cron", "timezone", "after", "expected"),
    [
        ("0 5 * * *", "UTC", "2026-01-01T04:59:59.5", "2026-01-01T05:00"),
        ("0 5 * * *", "UTC", "2026-01-01T05:00", "2026-01-02T05:00"),
        ("*/15 * * * *", "UTC", "2026-01-01T05:01", "2026-01-01T05:15"),
        ("0 5 * * *", "Europe/Berlin", "2026-01-01T00:00", "2026-01-01T04:00"),
        ("0 5 * * *", "Europe/Berlin", "2026-07-01T00:00", "2026-07-01T03:00"),
        ("0 5 * * *", "Asia/Kolkata", "2026-01-01T00:00", "2026-01-01T23:30"),
        ("0 9 * * MON-FRI", "America/New_York", "2026-01-02T15:00", "2026-01-05T14:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("0 0 1 jan *", "UTC", "2026-01-01T00:00", "2027-01-01T00:00"),
    ],
    ids=[
        *("fraction", "exact", "steps", "winter", "summer", "half an hour", "names of days"),
        *("hour left out", "hour twice", "hour twice, once", "leap day", "names of months"),
    ],
)
def test_next_times(cron: str, timezone: str, after: str, expected: str) -> None:
    """They are those of a wall clock in that zone."""
    assert find_next(cron, timezone, at(after)) == at(expected)


@pytest.mark.parametrize(
    ("cron", "timezone"),
    [
        ("", "UTC"),
        ("* * * *", "UTC"),
        ("60 * * * *", "UTC"),
        ("0 0 30 2 *", "UTC"),
        ("0 0 * * *", "Nowhere/Here"),
        ("0 0 * * *", "../../etc/passwd"),
        ("0 0 * * *", "/etc/passwd"),
        ("0 0 * * *", ""),
    ],
)
def test_lines_and_zones_that_are_none(cron: str, timezone: str) -> None:
    """They are refused."""
    with pytest.raises(InvalidError):
        find_next(cron, timezone, 0.0)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-01-01T05:00", "2026-01-01T05:00"),
        ("2026-01-01T05:00:00.9", "2026-01-01T05:00"),
        ("2026-01-03T04:59:59.9", "2026-01-02T05:00"),
    ],
)
def test_last_times(now: str, expected: str) -> None:
    """The last one up to a moment, that moment included."""
    assert find_last("0 5 * * *", "UTC", at(now), 0.0) == at(expected)


@pytest.mark.requirement("A06")
@pytest.mark.parametrize(
    ("now", "fire", "following"),
    [
        ("2026-01-01T05:00:00.4", "2026-01-01T05:00", "2026-01-02T05:00"),
        ("2026-01-01T05:59", "2026-01-01T05:00", "2026-01-02T05:00"),
        ("2026-01-01T06:00:00", "2026-01-01T05:00", "2026-01-02T05:00"),
        ("2026-01-01T06:00:01", None, "2026-01-02T05:00"),
        ("2026-01-09T05:30", "2026-01-09T05:00", "2026-01-10T05:00"),
        ("2036-01-09T12:00", None, "2036-01-10T05:00"),
    ],
    ids=["in time", "late", "just in time", "too late", "only the last of many", "years"],
)
def test_missed_times(now: str, fire: str | None, following: str) -> None:
    """The last is made up for within the hour, all others are skipped; a jump ahead is the same."""
    tick = judge_due("0 5 * * *", "UTC", at("2026-01-01T05:00"), at(now))
    assert tick.fire == (None if fire is None else at(fire))
    assert tick.next == at(following)
