"""When a `cron` comes: how often at most, and whether it ever does.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
"""

from __future__ import annotations

MINIMUM_MINUTES = 5
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def find_cron_problem(cron: str) -> str | None:
    """Return what is wrong with a valid cron expression, or None."""
    fields = cron.split()
    if len(fields) != 5:
        return None
    minutes = _values(fields[0], 0, 59, ())
    gap = _smallest_gap(sorted(minutes))
    if gap < MINIMUM_MINUTES:
        return (
            f"comes every {gap} minute{'s' if gap > 1 else ''} at times, "
            f"and GitHub starts runs every {MINIMUM_MINUTES} minutes at most"
        )
    return None if _has_a_day(fields) else "never comes: no such month has such a day"


def _smallest_gap(minutes: list[int]) -> int:
    if len(minutes) < 2:
        return 60
    around = [*minutes[1:], minutes[0] + 60]
    return min(later - earlier for earlier, later in zip(minutes, around, strict=True))


def _has_a_day(fields: list[str]) -> bool:
    if fields[4] != "*":
        return True
    days = _values(fields[2], 1, 31, ())
    months = _values(fields[3], 1, 12, _MONTHS)
    return not days or not months or any(min(days) <= _LONGEST[month - 1] for month in months)


def _values(field: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    """Return the numbers a field stands for; those it cannot read are left out."""
    values: set[int] = set()
    for part in field.split(","):
        text, _, step = part.partition("/")
        first, dash, last = text.partition("-")
        start: int | None = low
        end: int | None = high
        if text != "*":
            start = _number(first, names)
            end = _number(last, names) if dash else (high if step else start)
        if start is not None and end is not None:
            values.update(range(start, end + 1, int(step) if step.isdigit() and int(step) else 1))
    return {value for value in values if low <= value <= high}


def _number(text: str, names: tuple[str, ...]) -> int | None:
    if text.isdigit():
        return int(text)
    return names.index(text.lower()) + 1 if text.lower() in names else None
