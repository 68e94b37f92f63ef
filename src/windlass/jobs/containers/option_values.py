"""The values that options of `docker create` take, from text to what the API wants.

Source: docker/cli opts/, docker/go-units size.go, Go's time.ParseDuration and strconv.ParseBool
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_DURATION: Final = r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_NANOSECONDS: Final = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6,
    "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
_SIZE: Final = r"(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?"
_POWERS: Final = {unit: 1024**power for power, unit in enumerate(("", "k", "m", "g", "t", "p"))}


def read_text(text: str) -> str:
    """Take any text."""
    return text


def read_flag(text: str) -> bool:
    """Read a boolean as Go does.

    Raises:
        ValueError: it is none.
    """
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise ValueError("true or false was expected")


def read_number(text: str) -> int:
    """Read a whole number.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError("a whole number was expected")
    return int(text)


def read_size(text: str) -> int:
    """Read a number of bytes: `512m`, `1.5g`.

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(_SIZE, text, re.IGNORECASE | re.ASCII)
    if found is None:
        raise ValueError("a size such as 512m or 2g was expected")
    return int(Decimal(found[1]) * _POWERS[found[2].lower()])


def read_swap(text: str) -> int:
    """Read a number of bytes, or -1 for no limit.

    Raises:
        ValueError: it is neither.
    """
    return -1 if text == "-1" else read_size(text)


def read_duration(text: str) -> int:
    """Read a duration in nanoseconds: `10s`, `1m30s`, `500ms`.

    Raises:
        ValueError: it is none.
    """
    if text in ("0", "+0", "-0"):
        return 0
    if not re.fullmatch(rf"\+?(?:{_DURATION})+", text, re.ASCII):
        raise ValueError("a duration with its unit was expected, such as 10s or 1m30s")
    parts = re.findall(_DURATION, text, re.ASCII)
    return int(sum(Decimal(number) * _NANOSECONDS[unit] for number, unit in parts))


def read_processors(text: str) -> int:
    """Read a number of processors in billionths.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"\d+(?:\.\d{0,9})?|\.\d{1,9}", text, re.ASCII):
        raise ValueError("a number of processors such as 1.5 was expected")
    return int(Decimal(text) * 10**9)
