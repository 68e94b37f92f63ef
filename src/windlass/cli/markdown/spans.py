"""Pieces of text with styles, and how they are broken into lines."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from windlass.cli.terminal import Style, Terminal, visible, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Span: TypeAlias = "tuple[str, tuple[Style, ...]]"
Spans: TypeAlias = "list[Span]"

_WORDS = re.compile(r"[^\S\n]+|\n|\S+")


def width_of_spans(spans: Sequence[Span]) -> int:
    """How many columns they take on one line."""
    return sum(width_of(text) for text, _ in spans)


def paint_spans(spans: Sequence[Span], terminal: Terminal) -> str:
    """Return them as text for the terminal."""
    alike = groupby(spans, key=lambda span: span[1])
    return "".join(
        terminal.paint(visible("".join(text for text, _ in group)), *styles)
        for styles, group in alike
    )


def wrap_spans(spans: Sequence[Span], columns: int) -> Iterator[Spans]:
    """Break them into lines of at most so many columns, between words where that is possible."""
    line: Spans = []
    room = columns
    for word, styles in _split_words(spans, columns):
        width = width_of(word)
        if word == "\n" or width > room:
            yield _strip(line)
            line, room = [], columns
        if word == "\n" or (word.isspace() and not line):
            continue
        line.append((word, styles))
        room -= width
    if line or not spans:
        yield _strip(line)


def _split_words(spans: Sequence[Span], columns: int) -> Iterator[Span]:
    """The words and the blanks between them; a word wider than a line in pieces."""
    for text, styles in spans:
        for word in _WORDS.findall(visible_lines(text)):
            if width_of(word) <= columns:
                yield word, styles
                continue
            size = max(columns // 2 if not word.isascii() else columns, 1)
            yield from ((word[at : at + size], styles) for at in range(0, len(word), size))


def visible_lines(text: str) -> str:
    """Make control characters visible, but for the ends of lines."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _strip(line: Spans) -> Spans:
    while line and line[-1][0].isspace():
        line.pop()
    return line
