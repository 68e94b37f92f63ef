"""What a step printed as a person reads it: groups below their titles, and no marker of GitHub's.

Source of the markers: actions/runner src/Runner.Common/WellKnownTags.cs; how they look is taken
from GitHub's page of a run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from windlass.cli.escapes import clean_line, is_plain
from windlass.cli.groups import MARKER, Groups, title_of
from windlass.cli.marks import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.cli.terminal import Style, Terminal
    from windlass.protocol.events import StepStarted

_MARKED = re.compile(r"##\[(error|warning|notice|debug|command|section)\](.*)")
_STYLES: Final[dict[str, Style]] = {"command": "cyan", "section": "green"}


class StepOutput:
    """Lays out the output of one step, which comes in parts of whole lines."""

    def __init__(self, terminal: Terminal, step: StepStarted | None = None) -> None:
        """Take the step where a view names it: the runner's own group is then left out."""
        self._terminal = terminal
        self._groups = Groups(step)

    def lines(self, text: str, lead: str) -> Iterator[str]:
        """Yield lines, one or several at a time, without the last newline; `lead` begins each.

        Steps print millions of lines: what all lines have in common is made once.
        """
        groups = self._groups
        if not groups.may_change_in(text) and is_plain(text):
            groups.take_plain()
            yield put_in_front(self._indented(lead), text)
            return
        for line in text.split("\n"):
            part = groups.take(line)
            if part == "title":
                title = clean_line(title_of(line), colour=False)
                yield f"{lead}{self._terminal.paint(f'▾ {title}', 'bold')}"
            elif part == "line":
                yield f"{self._indented(lead)}{self._lay_out(line)}".rstrip()

    def _indented(self, lead: str) -> str:
        return f"{lead}  " if self._groups.is_inside else lead

    def _lay_out(self, line: str) -> str:
        marked = _MARKED.match(line) if line.startswith(MARKER) else None
        if marked is None:
            return clean_line(line, colour=self._terminal.colour)
        word, rest = marked[1], clean_line(marked[2], colour=False)
        if word in LEVELS:
            return f"{self._terminal.paint(f'{word}:', LEVELS[word])} {rest}"
        return self._terminal.paint(rest, _STYLES[word])


def put_in_front(front: str, text: str) -> str:
    """Begin each line of a text with the same words; no line ends with blanks because of them."""
    text = f"{front}{text}".replace("\n", f"\n{front}")
    bare = front.rstrip()
    if text.endswith(front):
        text = text.removesuffix(front) + bare
    return text.replace(f"{front}\n", f"{bare}\n")
