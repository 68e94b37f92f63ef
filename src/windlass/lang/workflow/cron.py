"""Whether a `cron` line is one that GitHub understands.

Source: actions/languageservices, workflow-parser/src/model/converter/cron.ts, and
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
"""

from __future__ import annotations

import math
import re

from windlass.model.values import dataclass, field

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Field:
    least: int
    greatest: int
    names: dict[str, int] = field(default_factory=dict)


_FIELDS = (
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31),
    _Field(1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Field(0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def is_valid_cron(text: str) -> bool:
    """Say whether a line has five valid fields: minute, hour, day, month, weekday."""
    parts = re.split(" +", text)
    return len(parts) == len(_FIELDS) and all(map(_is_valid_list, parts, _FIELDS))


def _is_valid_list(text: str, field: _Field) -> bool:
    if "," not in text:
        return _is_valid_steps(text, field)
    return all(part and _is_valid_list(part, field) for part in text.split(","))


def _is_valid_steps(text: str, field: _Field) -> bool:
    if "/" not in text:
        return _is_valid_range(text, field)
    start, _, step = text.partition("/")
    return (
        start != ""
        and _number(step) > 0
        and _is_valid_range(start, field)
        and _is_valid_value(step, field)
    )


def _is_valid_range(text: str, field: _Field) -> bool:
    if "-" not in text:
        return _is_valid_value(text, field)
    start, _, end = text.partition("-")
    if not start or not end or not _is_valid_value(start, field):
        return False
    return _is_valid_value(end, field) and _value(end, field) >= _value(start, field)


def _is_valid_value(text: str, field: _Field) -> bool:
    if text == "*":
        return True
    return field.least <= _value(text, field) <= field.greatest


def _value(text: str, field: _Field) -> float:
    named = field.names.get(text.lower())
    return _number(text) if named is None else named


def _number(text: str) -> float:
    if not text:
        return 0
    if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return float(text)
    return math.nan
