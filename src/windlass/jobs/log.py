"""The way of a step's output: bytes in blocks → whole lines → runner commands → masked text.

Only a line that may hold a runner command is looked at by itself. Everything else goes through in
blocks. CR LF and a lone CR end a line, as they do for GitHub's runner; bytes that are not UTF-8
become U+FFFD; every other character, NUL and escape codes included, is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.commands import MARKER, OLD_MARKER

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.masking import Masker

LONGEST_LINE_BYTES = 1 << 20
"""A longer line is broken there: nothing is lost, and memory stays bounded."""

LARGEST_BLOCK_BYTES = 1 << 16

_MARKERS = (MARKER.encode(), OLD_MARKER.encode())
_SPACES = b" \t\v\f\xa0\x85"


class StepLog:
    """Collects lines in order, then hands them on, masked, a batch at a time."""

    def __init__(self, masker: Masker, emit: Callable[[str], None]) -> None:
        self.masker = masker
        self._emit = emit
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Add whole lines."""
        self._parts.append(data)

    def write_line(self, line: str) -> None:
        """Add one line of the runner's own; a line break in it starts another line."""
        self._parts.append(line.encode("utf-8", "replace") + b"\n")

    def flush(self) -> None:
        """Hand on what was collected. Needed before anything that is to come after it."""
        if not self._parts:
            return
        data = b"".join(self._parts)
        self._parts.clear()
        if data:
            self._emit(self.masker.mask_lines(data).decode("utf-8", "replace"))


class LineSplitter:
    """Turns blocks of output into lines of the log and calls for runner commands.

    `handle_line` gets a line that may be a command, without its end, and tells whether it was one.
    `refuse_line` gets the start of a line that is too long to be read as the command it begins
    like, and tells whether the line is to be left out.
    """

    def __init__(
        self,
        log: StepLog,
        handle_line: Callable[[str], bool],
        refuse_line: Callable[[str], bool],
    ) -> None:
        self._log = log
        self._handle_line = handle_line
        self._refuse_line = refuse_line
        self._rest = b""
        self._broken = False
        self._leaving_out = False
        self._after_return = False

    def feed(self, block: bytes) -> None:
        """Take the next block; whole lines in it are handed on before this returns."""
        for start in range(0, len(block), LARGEST_BLOCK_BYTES):
            self._feed(block[start : start + LARGEST_BLOCK_BYTES])

    def _feed(self, block: bytes) -> None:
        data = self._rest + self._end_lines(block)
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        if end:
            self._take(data[:end])
        while len(self._rest) > LONGEST_LINE_BYTES:
            self._break()
        self._log.flush()

    def finish(self) -> None:
        """Hand on a last line that has no end."""
        rest, self._rest = self._rest, b""
        if rest:
            self._take(rest)
        self._log.flush()

    def _end_lines(self, block: bytes) -> bytes:
        """Return the block with line feeds as the only ends of lines."""
        if self._after_return and block.startswith(b"\n"):
            block = block[1:]
            self._after_return = False
        if block:
            self._after_return = block.endswith(b"\r")
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return block

    def _take(self, data: bytes) -> None:
        """Pass whole lines on; the first of them may be the end of a broken one."""
        position = 0
        if self._broken:
            position = data.find(b"\n") + 1 or len(data)
            if not self._leaving_out:
                self._log.write(data[:position])
            self._broken = self._leaving_out = False
        markers = _Markers(data)
        written = position
        while (hit := markers.find(position)) >= 0:
            start = max(data.rfind(b"\n", position, hit) + 1, position)
            end = data.find(b"\n", hit)
            end = len(data) if end < 0 else end
            position = end + 1
            line = data[start:end]
            if not _may_be_command(line):
                continue
            # What stands before the command must be in the log before the command acts.
            self._log.write(data[written:start])
            written = start
            if self._handle_line(line.decode("utf-8", "replace")):
                written = position
        self._log.write(data[written:])

    def _break(self) -> None:
        """Hand on the beginning of a line that is too long, up to no secret's middle."""
        data = self._rest
        if not self._broken:
            self._leaving_out = _may_be_command(data) and self._refuse_line(
                data[:LONGEST_LINE_BYTES].decode("utf-8", "replace")
            )
            self._broken = True
        cut = self._log.masker.find_start(data, LONGEST_LINE_BYTES) or LONGEST_LINE_BYTES
        cut = _character_start(data, cut)
        if not self._leaving_out:
            self._log.write(data[:cut] + b"\n")
            self._log.flush()
        self._rest = data[cut:]


class _Markers:
    """Finds the markers of commands in one text from left to right, looking at each byte once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._places = [data.find(marker) for marker in _MARKERS]

    def find(self, position: int) -> int:
        """Return where the next marker is, or -1; positions may not go back."""
        for index, place in enumerate(self._places):
            if 0 <= place < position:
                self._places[index] = self._data.find(_MARKERS[index], position)
        return min((place for place in self._places if place >= 0), default=-1)


def _may_be_command(line: bytes) -> bool:
    return _MARKERS[1] in line or line.lstrip(_SPACES).startswith(_MARKERS[0]) or _starts_wide(line)


def _starts_wide(line: bytes) -> bool:
    """Tell whether a line begins with white space beyond ASCII, which may hide a command."""
    return line[:1] > b"\x7f" and line.decode("utf-8", "replace").lstrip().startswith(MARKER)


def _character_start(data: bytes, position: int) -> int:
    """Return the start of the UTF-8 character that lies across a position."""
    start = position
    while start > max(0, position - 3) and data[start] & 0xC0 == 0x80:
        start -= 1
    return start or position
