"""The last lines of a step: what stands below it while it runs, and what explains its failure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.cli.escapes import clean_line
from windlass.cli.groups import Groups, title_of
from windlass.cli.marks import count

if TYPE_CHECKING:
    from windlass.protocol.events import StepStarted

Kind: TypeAlias = Literal["line", "grouped", "title"]

TAIL_LINES = 20
LONGEST_LINE = 2000
"""Characters of a line that are worth keeping here; the log has it whole."""


class Tail:
    """Takes the output of one step and keeps the end of it."""

    def __init__(self, step: StepStarted | None = None) -> None:
        self.count = 0
        """How many lines there were in all."""
        self._groups = Groups(step)
        self._lines: deque[tuple[str, Kind]] = deque(maxlen=TAIL_LINES)
        self._title = ""
        self._grouped = 0

    def add(self, text: str) -> None:
        """Take whole lines."""
        text = text.removesuffix("\n")
        if not self._groups.may_change_in(text):
            self._add_plain(text)
            return
        for line in text.split("\n"):
            self._add_line(line)

    def add_remark(self, line: str) -> None:
        """Take a line that is told in another way, such as an error by a runner command."""
        self._keep([line], 1, "line")

    def lines(self, *, colour: bool) -> list[str]:
        """Return the last lines, groups unfolded, as they may be shown."""
        return [
            f"▾ {line}" if kind == "title" else clean_line(line, colour=colour)
            for line, kind in self._lines
        ]

    def folded_lines(self, most: int) -> list[str]:
        """Return up to `most` last lines without colour; of a group only its title is shown."""
        kept = [(line, kind) for line, kind in self._lines if kind != "grouped"]
        if self._groups.is_inside:
            # Its title may have been kept, as the last of those lines, or be too long ago.
            kept = kept[:-1] if kept and kept[-1][1] == "title" else kept
            kept.append((f"{self._title} ({count(self._grouped, 'line')})", "title"))
        return [
            f"▸ {line}" if kind == "title" else clean_line(line, colour=False)
            for line, kind in kept[max(len(kept) - most, 0) :]
        ]

    def _add_plain(self, text: str) -> None:
        lines = text.rsplit("\n", TAIL_LINES)[-TAIL_LINES:]
        number = text.count("\n") + 1
        self._groups.take_plain()
        self._grouped += number
        self._keep(lines, number, self._kind)

    def _add_line(self, line: str) -> None:
        match self._groups.take(line):
            case "title":
                self._title, self._grouped = clean_line(title_of(line), colour=False), 0
                self._keep([self._title], 1, "title")
            case "line":
                self._grouped += 1
                self._keep([line], 1, self._kind)
            case "nothing":
                pass

    @property
    def _kind(self) -> Kind:
        return "grouped" if self._groups.is_inside else "line"

    def _keep(self, lines: list[str], number: int, kind: Kind) -> None:
        self._lines.extend((_shorten(line), kind) for line in lines)
        self.count += number


def _shorten(line: str) -> str:
    """Cut a line that is too long; what it overwrote before that is not seen anyway."""
    if len(line) <= LONGEST_LINE:
        return line
    return line.rstrip("\r").rpartition("\r")[2][:LONGEST_LINE] + "…"
