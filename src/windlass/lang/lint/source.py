"""Places inside a scalar: from an offset in its value to a line and column of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.positions import Position, Span

if TYPE_CHECKING:
    from collections.abc import Sequence


class Source:
    """The lines of one file."""

    def __init__(self, text: str) -> None:
        self._lines: Sequence[str] = text.removeprefix("\ufeff").split("\n")

    def span(self, scalar: Span, value: str, start: int, end: int) -> Span:
        """Return where a stretch of a scalar's value stands.

        It is exact for blocks (`|`) and for scalars of one line; of a folded scalar the line and
        column cannot be told from the value, so that the whole scalar is returned.
        """
        first = self._line(scalar.start.line)[scalar.start.column - 1 :]
        if first.startswith("|"):
            return self._in_block(scalar, value, start, end)
        if scalar.start.line != scalar.end.line or first.startswith(">"):
            return scalar
        quote = 1 if first[:1] in ("'", '"') else 0
        column = scalar.start.column + quote
        line = scalar.start.line
        return Span(
            scalar.path,
            Position(line, column + start),
            Position(line, column + max(end, start + 1)),
        )

    def indent_of(self, scalar: Span) -> int:
        """Return by how many blanks the lines of a scalar after its first are indented."""
        return self._indent(scalar.start.line + 1)

    def _in_block(self, scalar: Span, value: str, start: int, end: int) -> Span:
        indent = self._indent(scalar.start.line + 1)
        line = scalar.start.line + 1 + value.count("\n", 0, start)
        column = indent + 1 + start - (value.rfind("\n", 0, start) + 1)
        stop = min(end, (value + "\n").find("\n", start))
        return Span(
            scalar.path,
            Position(line, column),
            Position(line, column + max(stop - start, 1)),
        )

    def _indent(self, number: int) -> int:
        for line in self._lines[number - 1 :]:
            if line.strip():
                return len(line) - len(line.lstrip(" "))
        return 0

    def _line(self, number: int) -> str:
        return self._lines[number - 1] if number <= len(self._lines) else ""
