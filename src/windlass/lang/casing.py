"""Comparing strings without regard to case: .NET's StringComparison.OrdinalIgnoreCase.

Each character is upper-cased by itself with Unicode's simple mapping, so the length stays ('ß' is
not 'SS'); 'ı' and 'ſ' stay what they are, because they would become ASCII letters.
"""

from __future__ import annotations

from functools import lru_cache

_KEPT = "\u0131\u017f"


def fold(text: str) -> str:
    """Return the text in upper case, one character for one character."""
    if text.isascii():
        return text.upper()
    return "".join(map(_upper, text))


@lru_cache(maxsize=4096)
def _upper(character: str) -> str:
    if character in _KEPT:
        return character
    upper = character.upper()
    if len(upper) == 1:
        return upper
    # A full mapping of several characters; the simple one, where there is one, is the title case.
    title = character.title()
    return title if len(title) == 1 else character


def equals_ignoring_case(left: str, right: str) -> bool:
    """Tell whether two strings are equal but for case."""
    return left == right or (len(left) == len(right) and fold(left) == fold(right))


def sort_key(text: str) -> bytes:
    """Return what orders a string as .NET does: by UTF-16 units of its upper case."""
    return fold(text).encode("utf-16-be", "surrogatepass")
