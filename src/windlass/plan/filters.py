r"""GitHub's filter patterns: which branches, tags and paths an event filter lets through.

    *        any characters but `/`
    **       any characters; `**/` also nothing at all
    ?        the character before it, once or not at all
    +        the character before it, once or more
    [abc]    one of the characters; ranges `[0-9]`, `[a-z]`, `[A-Z]`
    !        at the start of a pattern: what matched before no longer matches
    \        the next character, whatever it means otherwise

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Match:
    """Whether a filter lets something through, and the pattern that decided; None if none did."""

    matched: bool
    pattern: str | None = None


def match_names(patterns: Sequence[str], name: str) -> Match:
    """Match a branch or tag against patterns in order: the last one that matches decides."""
    decided = Match(matched=False)
    for pattern in patterns:
        negated, body = _split(pattern)
        if (not negated or decided.matched) and matches(body, name):
            decided = Match(not negated, pattern)
    return decided


def match_any(patterns: Sequence[str], names: Iterable[str]) -> tuple[Match, str | None]:
    """Return the first name (a changed file) that the patterns let through, with its match."""
    refused = Match(matched=False)
    for name in names:
        match = match_names(patterns, name)
        if match.matched:
            return match, name
        if match.pattern is not None:
            refused = match
    return refused, None


def match_ignored(patterns: Sequence[str], names: Iterable[str]) -> str | None:
    """Return the first name that an ignore filter does not cover; None where it covers all."""
    for name in names:
        if not match_names(patterns, name).matched:
            return name
    return None


def matches(pattern: str, name: str) -> bool:
    """Tell whether one pattern, without its `!`, matches a whole name. Never raises.

    Takes time linear in the name: the pattern is an automaton, not a backtracking regex.
    """
    return pattern == name or _compile(pattern).accepts(name)


def is_negative(pattern: str) -> bool:
    """Tell whether a pattern takes away what matched before it."""
    return pattern.startswith("!")


def _split(pattern: str) -> tuple[bool, str]:
    return (True, pattern[1:]) if is_negative(pattern) else (False, pattern)


@dataclass(slots=True)
class _Item:
    """One place of a pattern: the characters it takes, and how.

    `accepted` None is any character, `excluded` those it does not take then. A `repeats` item takes
    any number of them. From before an item the automaton may jump over `skip` items for nothing.
    """

    accepted: frozenset[str] | None = None
    excluded: str = ""
    repeats: bool = False
    skip: int = 0

    def takes(self, character: str) -> bool:
        """Tell whether the item takes this character."""
        if self.accepted is None:
            return character not in self.excluded
        return character in self.accepted


class _Automaton:
    """A pattern as a set of places it may be at, with the moves it has made remembered.

    A set of places is the bits of an integer: bit N is the place before item N. The moves are a
    deterministic automaton that grows as it is used, and is forgotten when it grows too large.
    """

    _MOST_MOVES = 4096

    def __init__(self, items: Sequence[_Item]) -> None:
        self._items = items
        self._start = self._spread(1)
        self._end = 1 << len(items)
        self._moves: dict[tuple[int, str], int] = {}

    def accepts(self, name: str) -> bool:
        """Tell whether the whole name matches."""
        moves, places = self._moves, self._start
        for character in name:
            following = moves.get((places, character))
            if following is None:
                following = self._move(places, character)
            places = following
            if not places:
                return False
        return bool(places & self._end)

    def _move(self, places: int, character: str) -> int:
        following = 0
        for index, item in enumerate(self._items):
            if places >> index & 1 and item.takes(character):
                following |= 1 << (index if item.repeats else index + 1)
        if len(self._moves) >= self._MOST_MOVES:
            self._moves.clear()
        self._moves[places, character] = following = self._spread(following)
        return following

    def _spread(self, places: int) -> int:
        """Add the places that are reached for nothing; jumps only lead forward."""
        for index, item in enumerate(self._items):
            if item.skip and places >> index & 1:
                places |= 1 << (index + item.skip)
        return places


@lru_cache(maxsize=1024)
def _compile(pattern: str) -> _Automaton:
    items: list[_Item] = []
    index = 0
    while index < len(pattern):
        index += _read_item(pattern, index, items)
    return _Automaton(items)


def _read_item(pattern: str, index: int, items: list[_Item]) -> int:
    """Add what the pattern says at one index; return how many characters said it."""
    character = pattern[index]
    if character == "*":
        return _read_star(pattern, index, items)
    if character in "?+" and items:
        _quantify(items, character)
        return 1
    if character == "[" and (end := pattern.find("]", index + 2)) > 0:
        items.append(_Item(_read_class(pattern[index + 1 : end])))
        return end + 1 - index
    if character == "\\" and index + 1 < len(pattern):
        items.append(_Item(frozenset(pattern[index + 1])))
        return 2
    items.append(_Item(frozenset(character)))
    return 1


def _read_star(pattern: str, index: int, items: list[_Item]) -> int:
    if pattern.startswith("**/", index):
        items += (_Item(skip=3), _Item(repeats=True, skip=1), _Item(frozenset("/")))
        return 3
    if pattern.startswith("**", index):
        items.append(_Item(repeats=True, skip=1))
        return 2
    items.append(_Item(excluded="/", repeats=True, skip=1))
    return 1


def _quantify(items: list[_Item], quantifier: str) -> None:
    """Apply `?` or `+` to the last item; on one that already repeats neither changes anything."""
    last = items[-1]
    if last.repeats or (len(items) > 2 and items[-3].skip == 3):  # `*`, `**` and `**/`
        return
    if quantifier == "?":
        last.skip = 1
    elif last.skip:
        last.repeats = True
    else:
        items.append(_Item(last.accepted, repeats=True, skip=1))


def _read_class(text: str) -> frozenset[str]:
    """Return the characters between `[` and `]`; `a-z` is a range, any other `-` itself."""
    accepted: set[str] = set()
    index = 0
    while index < len(text):
        first, dash, last = text[index], text[index + 1 : index + 2], text[index + 2 : index + 3]
        if dash == "-" and is_range(first, last):
            accepted.update(map(chr, range(ord(first), ord(last) + 1)))
            index += 3
        else:
            accepted.add(first)
            index += 1
    return frozenset(accepted)


def is_range(first: str, last: str) -> bool:
    """Tell whether two characters can be the ends of a range: both in 0-9, in a-z or in A-Z."""
    return any(
        low <= first <= high and low <= last <= high
        for low, high in (("0", "9"), ("a", "z"), ("A", "Z"))
    )
