"""What a key and a version may be, and which cache a list of keys finds: pure.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#cache-key-matching
and the checks of npm's @actions/cache (src/cache.ts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_KEY: Final = 512
"""In characters as JavaScript counts them: UTF-16 code units."""

MOST_KEYS: Final = 10
LONGEST_VERSION: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A finished cache as the search sees it; `created` is in seconds since the epoch."""

    id: int
    scope: str
    key: str
    created: float


def choose_cache(
    candidates: Iterable[Candidate], keys: Sequence[str], scopes: Sequence[str]
) -> Candidate | None:
    """Return the cache that a job gets, or None.

    Scopes are searched one after the other, each by all keys in their order. A key finds the cache
    of that very key, else the newest whose key begins with it.
    """
    by_scope: dict[str, list[Candidate]] = {scope: [] for scope in scopes}
    for candidate in candidates:
        if candidate.scope in by_scope:
            by_scope[candidate.scope].append(candidate)
    for found in by_scope.values():
        for key in keys:
            match = _match(found, key)
            if match is not None:
                return match
    return None


def find_fault_of_key(key: str) -> str | None:
    """Return why nothing can be kept or sought under a key, or None."""
    if not key:
        return "Key Validation Error: the key is empty."
    if _length(key) > LONGEST_KEY:
        return f"Key Validation Error: {key} cannot be larger than {LONGEST_KEY} characters."
    if "," in key:
        return f"Key Validation Error: {key} cannot contain commas."
    if any(ord(letter) < ord(" ") or letter == "\x7f" for letter in key):
        return f"Key Validation Error: {key!r} cannot contain control characters."
    return None


def find_fault_of_keys(keys: Sequence[str]) -> str | None:
    """Return why a list of keys cannot be searched for, or None."""
    if not keys:
        return "Key Validation Error: at least one key is required."
    if len(keys) > MOST_KEYS:
        return f"Key Validation Error: Keys are limited to a maximum of {MOST_KEYS}."
    return next(filter(None, map(find_fault_of_key, keys)), None)


def find_fault_of_version(version: str) -> str | None:
    """Return why a version, which says how a cache was made, cannot be one, or None."""
    if 0 < len(version) <= LONGEST_VERSION and version.isascii() and version.isalnum():
        return None
    return "The version of a cache is a hash: letters and digits, at most 512 of them."


def _match(found: Iterable[Candidate], key: str) -> Candidate | None:
    newest = None
    for candidate in found:
        if candidate.key == key:
            return candidate
        if candidate.key.startswith(key) and (newest is None or _age(candidate) > _age(newest)):
            newest = candidate
    return newest


def _age(candidate: Candidate) -> tuple[float, int]:
    return candidate.created, candidate.id


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
