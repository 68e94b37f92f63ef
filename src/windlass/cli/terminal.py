"""Where words go: a stream that may be a terminal, with colour only where that is wanted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.cli.pipes import write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

Style: TypeAlias = Literal[
    "bold", "dim", "italic", "underline", "red", "green", "yellow", "blue", "magenta", "cyan"
]

_CODES: dict[str, str] = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "italic": "3",
    "underline": "4",
}
_PICTURES = {code: chr(0x2400 + code) for code in range(32)} | {0x7F: "\u2421"}
_UNSEEN = (
    *range(0x80, 0xA0),  # C1 controls
    *(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),  # directions
    *(0x2028, 0x2029),  # line ends that are not ours
)
_PICTURES |= dict.fromkeys(_UNSEEN, "\ufffd")
_DRAWN = "│▸▾›✓✗■⊘…├└─•⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TYPED = str.maketrans(_DRAWN, "|>v>+x#-~|`-***********")
"""What stands for each mark where the encoding of the stream does not have it."""
TAB_WIDTH = 4
DEFAULT_WIDTH = 80
DEFAULT_HEIGHT = 24


class Terminal:
    """A text stream, whether it is watched by a person, and whether it takes colour."""

    def __init__(self, stream: TextIO, *, is_live: bool, colour: bool) -> None:
        self.stream = stream
        self.is_live = is_live
        self.colour = colour
        self._can_draw = _can_encode(_DRAWN, stream)

    def write(self, text: str) -> None:
        """Write and flush; once the reader has gone away, further text is dropped."""
        write(self.stream, text if self._can_draw else text.translate(_TYPED))

    def paint(self, text: str, *styles: Style) -> str:
        """Return the text in the given styles, or unchanged where there is no colour."""
        if not (self.colour and text and styles):
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    @property
    def width(self) -> int:
        """The columns of the terminal now; 80 where nobody can say."""
        return self.size[0]

    @property
    def size(self) -> tuple[int, int]:
        """The columns and lines of the terminal now; 80 and 24 where nobody can say."""
        try:
            columns, lines = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError):
            return DEFAULT_WIDTH, DEFAULT_HEIGHT
        return columns or DEFAULT_WIDTH, lines or DEFAULT_HEIGHT


def open_terminal(stream: TextIO, variables: Mapping[str, str] | None = None) -> Terminal:
    """Look at a stream: live only on a real terminal, colour unless NO_COLOR or TERM=dumb.

    Source: https://no-color.org
    """
    variables = os.environ if variables is None else variables
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    is_terminal = stream.isatty()
    is_live = is_terminal and variables.get("TERM", "") != "dumb"
    return Terminal(stream, is_live=is_live, colour=is_live and not variables.get("NO_COLOR"))


def _can_encode(text: str, stream: TextIO) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def visible(text: str) -> str:
    """Make control characters and text-direction marks harmless; tabs become spaces."""
    return text.expandtabs(TAB_WIDTH).translate(_PICTURES)


def width_of(text: str) -> int:
    """How many columns a terminal gives a text: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )


def cut(text: str, columns: int) -> str:
    """Shorten a text to the given columns, with an ellipsis where something is missing."""
    if width_of(text) <= columns:
        return text
    kept = text[: max(columns - 1, 0)]
    while width_of(kept) > columns - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def cut_middle(text: str, columns: int) -> str:
    """Shorten a text to the given columns; its end stays: names of a matrix differ there."""
    if width_of(text) <= columns:
        return text
    end = text[-max(columns // 2, 1) :]
    while width_of(end) > columns // 2 and len(end) > 1:
        end = end[1:]
    end = end.lstrip()
    return cut(text, columns - width_of(end)) + end
