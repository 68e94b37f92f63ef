"""The edges of filter patterns: classes, ranges, quantifiers and what stands for itself.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
"""

from __future__ import annotations

import pytest

from windlass.plan.filters import Match, is_range, match_any, matches

EDGES = {
    "class-of-one": ("x[a]b", ["xab"], ["xb", "xaab"]),
    "bracket-first-in-a-class": ("[]]x", ["]x"], ["x"]),
    "range-of-one-digit": ("[9-9]x", ["9x"], ["-x"]),
    "range-from-its-own-end": ("[a-a]x", ["ax"], ["-x"]),
    "two-ranges": ("[a-cx-z]", ["b", "y"], ["-", "d"]),
    "range-among-characters": ("[_a-c.]", ["_", "b", "."], ["-", "d"]),
    "letter-after-a-letter": ("aX", ["aX"], ["a", "aXX"]),
    "backslash-at-the-end": ("a\\", ["a\\"], ["a", "ab"]),
    "escaped-letter": (r"\ab", ["ab"], [r"\ab"[1:] + "b", "b"]),
    "star-takes-any-letter": ("a*", ["aX", "a"], ["a/X"]),
    "star-takes-only-itself": ("*ab", ["ab", "xab"], ["xb", "b"]),
    "double-star-slash-is-a-whole-folder": ("**/a", ["a", "b/a", "b/c/a"], ["Xa", "b/Xa"]),
    "quantified-double-star-slash": ("**/?a", ["a", "x/a"], ["xa"]),
    "quantified-later-double-star-slash": ("b/**/+a", ["b/a", "b/x/a"], ["b/xa", "b//xa"]),
    "plus-after-a-class": ("v[0-9]+x", ["v1x", "v12x"], ["vx"]),
    "question-mark-after-a-class": ("v[0-9]?x", ["v1x", "vx"], ["v12x"]),
    "question-mark-twice": ("ab??c", ["abc", "ac"], ["abbc"]),
    "plus-twice": ("ab++c", ["abc", "abbbc"], ["ac"]),
    "question-mark-after-an-escaped-star": (r"a\*?", ["a", "a*"], ["ab"]),
}


@pytest.mark.parametrize(("pattern", "matching", "other"), EDGES.values(), ids=EDGES.keys())
def test_edges(pattern: str, matching: list[str], other: list[str]) -> None:
    """Each special character reaches as far as the cheat sheet says and no further."""
    assert [name for name in matching + other if matches(pattern, name)] == matching


@pytest.mark.parametrize("ends", ["09", "az", "AZ", "55", "bc", "00", "99", "aa", "zz", "AA", "ZZ"])
def test_ranges(ends: str) -> None:
    """A range lies within the digits, the small letters or the capital letters."""
    assert is_range(ends[0], ends[1])


@pytest.mark.parametrize(
    "ends",
    ["/9", "0:", "0A", "9a", "`z", "a{", "@Z", "A[", "Az", "aA", "Aa", "zA", "0", "aé", "..9"],
)
def test_what_is_no_range(ends: str) -> None:
    """Characters of different sets, or of none, are no ends of a range."""
    assert not is_range(ends[:1], ends[1:])


def test_no_name_at_all() -> None:
    """Where no file changed, or none is touched by a pattern, nothing matched and none decided."""
    nothing = (Match(matched=False), None)

    assert match_any(["docs/**"], []) == nothing
    assert match_any(["docs/**"], ["src/a.py"]) == nothing
    assert match_any([], ["src/a.py"]) == nothing
