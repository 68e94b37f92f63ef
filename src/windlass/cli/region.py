"""The rows at the end of a terminal that are drawn again and again, below a log that stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.escapes import strip_colours
from windlass.cli.terminal import Terminal, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

UP = "\x1b[{}F"
TO_THE_LEFT = "\r"
ERASE_REST_OF_LINE = "\x1b[K"
ERASE_BELOW = "\x1b[J"
WITHOUT_WRAPPING = "\x1b[?7l"
WRAPPING = "\x1b[?7h"


class Region:
    """Draws rows; the cursor rests at the start of the line below them.

    Rows are written over the earlier ones, which does not flicker as erasing first would. A row
    that turns out wider than the terminal, by a character whose width terminals do not agree on, is
    cut by the terminal: wrapped rows would be counted wrong.
    Source of the codes: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._widths: list[int] = []
        """The columns that each row took which is now on the screen."""

    def draw(self, rows: Sequence[str], above: Sequence[str] = ()) -> None:
        """Replace the rows, and add lines to the log above them."""
        if not (rows or above or self._widths):
            return
        parts = [self._back_to_start()]
        if above:
            parts += [ERASE_BELOW, *(f"{line}\n" for line in above)]
        if rows:
            parts.append(WITHOUT_WRAPPING)
            parts += [f"{row}{ERASE_REST_OF_LINE}\n" for row in rows]
            parts.append(WRAPPING)
        parts.append(ERASE_BELOW)
        self._widths = [width_of(strip_colours(row)) for row in rows]
        self._terminal.write("".join(parts))

    def _back_to_start(self) -> str:
        """Go to where the first row begins, also where a narrower terminal has wrapped the rows."""
        columns = self._terminal.width
        height = sum(max(-(-width // columns), 1) for width in self._widths)
        return UP.format(height) if height else TO_THE_LEFT
