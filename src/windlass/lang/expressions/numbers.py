"""Numbers from text and back, as the runner does it.

Sources: actions/runner src/Sdk/Expressions/Sdk/ExpressionUtility.cs (ParseNumber) and
ExpressionConstants.cs (NumberFormat "G15"); JSON follows ECMAScript's Number::toString.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

WHITESPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What ECMAScript calls white space; Python's `str.strip()` takes off other characters."""

_INT32_SPAN = 1 << 32
_INT32_LIMIT = 1 << 31
_EXACT_DIGITS = 15


def parse_number(text: str) -> float:
    """Return the number a string stands for; '' is 0 and what is no number is NaN."""
    stripped = text.strip(WHITESPACE)
    if not stripped:
        return 0.0
    if _decimal().fullmatch(stripped):
        return float(stripped)
    if stripped in ("Infinity", "+Infinity"):
        return math.inf
    if stripped == "-Infinity":
        return -math.inf
    return _parse_prefixed(stripped)


def _parse_prefixed(text: str) -> float:
    """Read `0x…` and `0o…` as 32-bit two's complement; what does not fit is NaN."""
    digits = text[2:]
    if text.startswith("0x") and digits and all(digit in _HEXADECIMAL for digit in digits):
        return _as_int32(digits.lstrip("0"), 16)
    if text.startswith("0o") and digits and all(digit in "01234567" for digit in digits):
        return _as_int32(digits.lstrip("0"), 8)
    return math.nan


_HEXADECIMAL = "0123456789abcdefABCDEF"


def _as_int32(digits: str, base: int) -> float:
    if len(digits) > 11:  # 2^32 has 11 octal digits
        return math.nan
    value = int(digits or "0", base)
    if value >= _INT32_SPAN:
        return math.nan
    return float(value - _INT32_SPAN if value >= _INT32_LIMIT else value)


@lru_cache(maxsize=1)
def _decimal() -> re.Pattern[str]:
    return re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def as_double(value: float) -> float:
    """Return an int or a float as a double; an int too large for one is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def format_number(value: float) -> str:
    """Return a number as text: .NET's "G15", the invariant culture, no minus before zero."""
    if type(value) is int and -(10**_EXACT_DIGITS) < value < 10**_EXACT_DIGITS:
        return str(value)
    double = as_double(value)
    if not math.isfinite(double):
        return _non_finite(double)
    return f"{double:.15G}" if double else "0"


def format_json_number(value: float) -> str:
    """Return a number as JSON text: the shortest digits that read back; NaN and ±∞ are null."""
    double = as_double(value)
    if not math.isfinite(double):
        return "null"
    if double == int(double) and abs(double) < 10**_EXACT_DIGITS:
        return str(int(double))
    sign = "-" if double < 0 else ""
    mantissa, _, exponent_text = f"{abs(double)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).rstrip("0")
    return sign + _place_point(digits, len(whole) + int(exponent_text or "0"))


def _place_point(digits: str, point: int) -> str:
    """Write 0.DIGITS × 10^point as ECMAScript does (Number::toString, radix 10)."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    rest = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{rest}e{point - 1:+d}"


def _non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
