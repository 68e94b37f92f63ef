"""Hides secrets in whatever leaves a job.

Source: actions/runner src/Sdk/DTLogging/Logging/SecretMasker.cs
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from windlass.jobs.secret_forms import encode, secret_forms, split_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ahocorasick_rs import BytesAhoCorasick

MASK = b"***"
BEGINNING_BYTES = 6


class Masker:
    """Replaces every known secret, in all its forms, by `***`.

    Places that overlap or touch become one `***`, as with GitHub's runner. Secrets may be added at
    any time; the automaton that finds them is built when a text is next masked. `longest` is the
    length of the longest form, in bytes.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[bytes] = set()
        self._sieve: BytesAhoCorasick | None = None
        self._automaton: BytesAhoCorasick | None = None
        self._texts: list[str] = []
        self.longest = 0
        self._listener: Callable[[list[str]], None] | None = None
        self._lock = threading.Lock()
        for secret in secrets:
            self.add(secret)

    @property
    def count(self) -> int:
        """How many forms are looked for; it changes with every secret that is added."""
        return len(self._forms)

    def add(self, secret: str) -> None:
        """Hide a secret from now on: the whole value, and each of its lines."""
        for part in split_secret(secret):
            self.add_text(part)

    def add_text(self, text: str) -> None:
        """Hide exactly this text, and its encoded forms."""
        with self._lock:
            new = secret_forms(text) - self._forms
            if not new:
                return
            self._forms |= new
            self.longest = max(self.longest, *map(len, new))
            self._automaton = self._sieve = None
            self._texts.append(text)
            listener = self._listener
        if listener is not None:
            listener([text])

    def listen(self, listener: Callable[[list[str]], None]) -> None:
        """Tell all texts that are hidden, now and as they come; each with its encoded forms."""
        with self._lock:
            self._listener = listener
            texts = list(self._texts)
        if texts:
            listener(texts)

    def mask(self, data: bytes) -> bytes:
        """Return the bytes with their secrets replaced."""
        places = self._find(data)
        return _replace(data, _merge(places)) if places else data

    def mask_lines(self, data: bytes) -> bytes:
        """Return lines with their secrets replaced, each line by itself.

        A secret of several lines is replaced line by line, so that it does not matter how many
        lines are masked at once.
        """
        places = [place for place in self._find(data) if b"\n" not in data[place[0] : place[1]]]
        return _replace(data, _merge(places)) if places else data

    def mask_text(self, text: str) -> str:
        """Return a text with its secrets replaced."""
        if not self._forms:
            return text
        return self.mask(encode(text)).decode("utf-8", "surrogatepass")

    def may_hold_secret(self, data: bytes) -> bool:
        """Tell whether the beginning of a secret occurs, twice as fast as a whole search."""
        with self._lock:
            if self._sieve is None and self._forms:
                # Imported only where there is something to hide: it is not free.
                from ahocorasick_rs import BytesAhoCorasick, Implementation

                beginnings = sorted({form[:BEGINNING_BYTES] for form in self._forms})
                self._sieve = BytesAhoCorasick(beginnings, implementation=Implementation.DFA)
            sieve = self._sieve
        return sieve is not None and bool(sieve.find_matches_as_indexes(data))

    def find_start(self, data: bytes, position: int) -> int:
        """Return the start of the secret that lies across a position, else the position."""
        merged = _merge(self._find(data))
        return next((start for start, end in merged if start < position < end), position)

    def _find(self, data: bytes) -> list[tuple[int, int]]:
        """Return where secrets lie, sorted by their starts."""
        if not self.may_hold_secret(data):
            return []
        automaton = self._find_automaton()
        # A match is (pattern, start, end).
        return sorted(
            match[1:] for match in automaton.find_matches_as_indexes(data, overlapping=True)
        )

    def _find_automaton(self) -> BytesAhoCorasick:
        with self._lock:
            if self._automaton is None:
                from ahocorasick_rs import BytesAhoCorasick

                self._automaton = BytesAhoCorasick(sorted(self._forms))
            return self._automaton


def _merge(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join sorted ranges that overlap or touch."""
    current: tuple[int, int] | None = None
    for start, end in places:
        if current is None:
            current = (start, end)
        elif start <= current[1]:
            current = (current[0], max(current[1], end))
        else:
            yield current
            current = (start, end)
    if current is not None:
        yield current


def _replace(data: bytes, places: Iterable[tuple[int, int]]) -> bytes:
    parts: list[bytes] = []
    position = 0
    for start, end in places:
        parts += [data[position:start], MASK]
        position = end
    return b"".join([*parts, data[position:]])
