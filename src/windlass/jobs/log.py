"""The way of a step's output: bytes in blocks → whole lines → runner commands → masked text.

Only a line that may hold a runner command is looked at by itself. Everything else goes through in
blocks. CR LF and a lone CR end a line, as they do for GitHub's runner; bytes that are not UTF-8
become U+FFFD; every other character, NUL and escape codes included, is kept.

What is written to the job's log says how much of the process's output it accounts for: whoever
finds the log unfinished goes on there, and no line is lost or comes twice.
"""

from __future__ import annotations

import itertools
import re
import threading
from typing import TYPE_CHECKING

from windlass.lang.commands import MARKER, OLD_MARKER
from windlass.model.values import dataclass
from windlass.stores.logs import NOTHING_TAKEN, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from windlass.jobs.masking import Masker
    from windlass.stores.logs import JobLogWriter

LONGEST_LINE_BYTES = 1 << 20
"""A longer line is broken there: nothing is lost, and memory stays bounded."""

LARGEST_BLOCK_BYTES = 1 << 16

IS_BROKEN, IS_LEFT_OUT, IS_AFTER_RETURN = 1, 2, 4
"""What `Taken.state` says of the byte that comes next: it goes on a line that was broken, one of
which nothing is shown; it follows a carriage return."""

_HIDING = re.compile(rb"add-mask|stop-commands", re.IGNORECASE)
_LINE_END = re.compile(rb"\r\n?|\n")
_MARKERS = (MARKER.encode(), OLD_MARKER.encode())
_SPACES = b" \t\v\f\xa0\x85"


@dataclass(frozen=True, slots=True)
class Problem:
    """What was found in a line: where it lies among the lines that were looked at.

    In the job's log `mark` stands before it. When it is there, `tell` is called.
    """

    start: int
    end: int
    mark: str
    tell: Callable[[], None]


class StepLog:
    """Collects lines in order, then hands them on, masked, a batch at a time.

    `emit` gets each batch as text. With a `writer` it goes to the job's log before, under the key
    of the step, together with how much of the process's output has been taken until then.
    """

    def __init__(
        self,
        masker: Masker,
        emit: Callable[[str], None],
        *,
        writer: JobLogWriter | None = None,
        step: str = "",
    ) -> None:
        self.masker = masker
        self._emit = emit
        self._writer = writer
        self._step = step
        self._lock = threading.RLock()
        self._parts: list[bytes] = []
        self._taken = self._written = NOTHING_TAKEN

    def write(self, data: bytes, taken: Taken | None = None) -> None:
        """Add whole lines; `taken` is what of the output of a process they are the last of."""
        with self._lock:
            self._parts.append(data)
            self._taken = taken or self._taken

    def write_line(self, line: str) -> None:
        """Add one line of the runner's own; a line break in it starts another line."""
        self.write(line.encode("utf-8", "replace") + b"\n")

    def write_marked(self, mark: bytes, line: bytes, taken: Taken) -> None:
        """Write a line at once; in the job's log a mark stands before it.

        Raises:
            PlatformError: the job's log cannot be written.
        """
        self.flush()
        with self._lock:
            self._taken = taken
            masked = self.masker.mask_lines(line)
            self._keep(mark + masked)
            self._emit(masked.decode("utf-8", "replace"))

    def take(self, taken: Taken) -> None:
        """Note how much of a process's output needs no writing any more."""
        with self._lock:
            self._taken = taken

    def flush(self) -> None:
        """Hand on what was collected. Needed before anything that is to come after it.

        Raises:
            PlatformError: the job's log cannot be written.
        """
        with self._lock:
            data = b"".join(self._parts)
            self._parts.clear()
            if data:
                data = self.masker.mask_lines(data)
            self._keep(data)
            if data:
                self._emit(data.decode("utf-8", "replace"))

    def _keep(self, data: bytes) -> None:
        if self._writer is not None and (data or self._taken != self._written):
            self._written = self._taken
            self._writer.write(self._step, data, self._taken)


class LineSplitter:
    """Turns blocks of output into lines of the log and calls for runner commands.

    `handle_line` gets a line that may be a command, without its end, and tells whether it was one.
    `refuse_line` gets the start of a line that is too long to be read as the command it begins
    like, and tells whether the line is to be left out. `since` is where the output begins: what
    stands before has been taken by an earlier splitter. `find_problems` looks at whole lines that
    are no commands, as long as somebody wants it to.
    """

    def __init__(
        self,
        log: StepLog,
        handle_line: Callable[[str], bool],
        refuse_line: Callable[[str], bool],
        since: Taken = NOTHING_TAKEN,
        find_problems: Callable[[bytes], Iterable[Problem]] | None = None,
    ) -> None:
        self._log = log
        self._find_problems = find_problems
        self._handle_line = handle_line
        self._refuse_line = refuse_line
        self._process = since.process
        self._fed = since.offset
        self._rest = b""
        self._broken = bool(since.state & IS_BROKEN)
        self._leaving_out = bool(since.state & IS_LEFT_OUT)
        self._after_return = bool(since.state & IS_AFTER_RETURN)
        self._block = b""
        self._dropped = 0

    @property
    def taken(self) -> int:
        """How many bytes of the output are in the log, or need not be."""
        return self._fed - len(self._rest)

    def feed(self, block: bytes) -> None:
        """Take the next block; whole lines in it are handed on before this returns."""
        for start in range(0, len(block), LARGEST_BLOCK_BYTES):
            self._feed(block[start : start + LARGEST_BLOCK_BYTES])

    def _feed(self, block: bytes) -> None:
        self._block = block
        before = len(self._rest)
        data = self._rest + self._end_lines(block)
        end = data.rfind(b"\n") + 1
        if end:
            self._take(data[:end], before)
        self._rest = data[end:]
        self._fed += len(block)
        self._block = b""
        # Where the line is cut, a secret may begin whose end has not come yet.
        while len(self._rest) > LONGEST_LINE_BYTES + self._log.masker.longest:
            self._break()
        self._log.take(self._position())
        self._log.flush()

    def finish(self) -> None:
        """Hand on a last line that has no end."""
        if self._rest:
            self._take(self._rest, len(self._rest))
            self._rest = b""
        self._log.take(self._position())
        self._log.flush()

    def _end_lines(self, block: bytes) -> bytes:
        """Return the block with line feeds as the only ends of lines."""
        self._dropped = int(self._after_return and block.startswith(b"\n"))
        if self._dropped:
            block = block[1:]
            self._after_return = False
        if block:
            self._after_return = block.endswith(b"\r")
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return block

    def _take(self, data: bytes, before: int) -> None:
        """Pass whole lines on; the first of them may be the end of a broken one.

        The first `before` bytes are of earlier blocks, the others of the block at hand.
        """
        position = 0
        if self._broken:
            position = data.find(b"\n") + 1 or len(data)
            if not self._leaving_out:
                self._log.write(data[:position], self._position_of(data, position, before))
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
            # What stands before the command must be in the log before the command acts. A command
            # that hides something counts as taken only when it has acted.
            first = start if _HIDING.search(line) else position
            self._write(data, written, start, before, self._position_of(data, first, before))
            written = start
            if self._handle_line(line.decode("utf-8", "replace")):
                written = position
                if first != position:
                    self._log.take(self._position_of(data, position, before))
            else:
                self._log.take(self._position_of(data, start, before))
        end = len(data)
        self._write(data, written, end, before, self._position_of(data, end, before))

    def _write(self, data: bytes, start: int, end: int, before: int, taken: Taken) -> None:
        """Write lines to the log; one in which a problem is found is written by who found it."""
        if self._find_problems is not None and start < end:
            lines, first = data[start:end], start
            for problem in self._find_problems(lines):
                place = self._position_of(data, first + problem.start, before)
                self._log.write(data[start : first + problem.start], place)
                line = data[first + problem.start : first + problem.end]
                start = first + problem.end
                place = self._position_of(data, start, before)
                self._log.write_marked(problem.mark.encode(), line, place)
                problem.tell()
        self._log.write(data[start:end], taken)

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
        self._rest = data[cut:]
        if not self._leaving_out:
            self._log.write(data[:cut] + b"\n", self._position())
            self._log.flush()

    def _position(self) -> Taken:
        """Return how far the output has been taken when only the rest is still to be."""
        if not self._process:
            return NOTHING_TAKEN
        state = (
            self._broken * IS_BROKEN
            | self._leaving_out * IS_LEFT_OUT
            | (self._after_return and not self._rest) * IS_AFTER_RETURN
        )
        return Taken(self._process, self.taken, state)

    def _position_of(self, data: bytes, place: int, before: int) -> Taken:
        """Return how far the output has been taken once it was up to a place, the end of a line.

        The first `before` bytes of the data are the rest of earlier blocks. Ends of lines were made
        shorter on the way; where they may have been, they are counted.
        """
        if not self._process:
            return NOTHING_TAKEN
        block, place = self._block, min(place, len(data))
        if place <= before:
            return Taken(self._process, self._fed - before + place)
        if b"\r" in block:
            offset = _find_line_end(block, self._dropped, data.count(b"\n", before, place))
        else:
            offset = self._dropped + place - before
        is_after_return = self._after_return and offset == len(block)
        return Taken(self._process, self._fed + offset, is_after_return * IS_AFTER_RETURN)


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


def _find_line_end(block: bytes, start: int, number: int) -> int:
    """Return where the line with a number, counted from 1, ends in a block."""
    ends = _LINE_END.finditer(block, start)
    return next(itertools.islice(ends, number - 1, None)).end()
