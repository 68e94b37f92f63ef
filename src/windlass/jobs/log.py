"""The way of a step's output: bytes in blocks → whole lines → runner commands → masked text.

Only a line that may hold a runner command is looked at by itself. Everything else goes through in
blocks. CR LF and a lone CR end a line, as they do for GitHub's runner; bytes that are not UTF-8
become U+FFFD; every other character, NUL and escape codes included, is kept.

What is written to the job's log says how much of the process's output it accounts for: whoever
finds the log unfinished goes on there, and no line is lost or comes twice.
"""

from __future__ import annotations

import functools
import itertools
import re
import threading
from typing import TYPE_CHECKING

from windlass.lang.commands import MARKER, OLD_MARKER
from windlass.model.values import dataclass
from windlass.stores.log_index import NOTHING_TAKEN, Taken

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

_HIDING = (b"add-mask", b"stop-commands")
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


@dataclass(frozen=True, slots=True)
class Aside:
    """What the job's log says in one way and onlookers are told in another; both are masked."""

    kept: bytes
    tell: Callable[[], None]


class StepLog:
    """Collects lines in order, masked as they come, then hands them on, a batch at a time.

    `emit` gets each batch as text. With a `writer` it goes to the job's log before, under the key
    of the step, together with how much of the process's output has been taken until then. What is
    taken is worked out when it is needed: it may have moved on until then.
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
        self._parts: list[bytes | Aside] = []
        self._taken: Callable[[], Taken] = Taken
        self._written = NOTHING_TAKEN

    def write(self, data: bytes, taken: Callable[[], Taken], *, is_masked: bool = False) -> None:
        """Add whole lines; `taken` tells what of a process's output they are the last of."""
        if data and not is_masked:
            data = self.masker.mask_lines(data)
        with self._lock:
            if data:
                self._parts.append(data)
            self._taken = taken

    def write_line(self, line: str) -> None:
        """Add one line of the runner's own; a line break in it starts another line."""
        data = self.masker.mask_lines(line.encode("utf-8", "replace") + b"\n")
        with self._lock:
            self._parts.append(data)

    def write_marked(self, mark: bytes, line: bytes, taken: Callable[[], Taken]) -> None:
        """Add a line before which a mark stands in the job's log alone."""
        masked = self.masker.mask_lines(line)
        with self._lock:
            self._taken = taken
            self._parts.append(Aside(mark + masked, functools.partial(self._show, masked)))

    def write_aside(self, lines: str, tell: Callable[[], None]) -> None:
        """Add lines to the job's log alone; in their place `tell` is called."""
        data = self.masker.mask_lines(lines.encode("utf-8", "replace")) if lines else b""
        with self._lock:
            self._parts.append(Aside(data, tell))

    def flush(self) -> None:
        """Hand on what was collected. Needed before anything that is to come after it.

        Raises:
            PlatformError: the job's log cannot be written.
        """
        with self._lock:
            parts, self._parts = self._parts, []
            self._keep(b"".join([it.kept if isinstance(it, Aside) else it for it in parts]))
            lines: list[bytes] = []
            for part in parts:
                if isinstance(part, Aside):
                    self._show(b"".join(lines))
                    lines.clear()
                    part.tell()
                else:
                    lines.append(part)
            self._show(b"".join(lines))

    def _keep(self, data: bytes) -> None:
        if self._writer is None:
            return
        taken = self._taken()
        if taken != self._written:
            self._written = taken
            self._writer.write(self._step, data, taken)
        elif data:
            # All of it is the runner's own, which a log that is broken does without.
            self._writer.write(self._step, data)

    def _show(self, data: bytes) -> None:
        if data:
            self._emit(data.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Where a block of output lies in the whole of it, so that places in its lines can be told.

    `position` is that of its first byte; its lines begin with `before` bytes of earlier blocks.
    `dropped` bytes at its start belong to a line end that was taken already.
    """

    process: int
    position: int
    data: bytes
    before: int
    dropped: int

    def taken(self, lines: bytes, place: int) -> Taken:
        """Return how far the output has been taken once its lines were up to a place.

        Ends of lines were made shorter on the way; where they may have been, they are counted.
        """
        if not self.process:
            return NOTHING_TAKEN
        data, place = self.data, min(place, len(lines))
        if place <= self.before:
            return Taken(self.process, self.position - self.before + place)
        if b"\r" in data:
            offset = _find_line_end(data, self.dropped, lines.count(b"\n", self.before, place))
        else:
            offset = self.dropped + place - self.before
        is_after_return = offset == len(data) and data.endswith(b"\r")
        return Taken(self.process, self.position + offset, is_after_return * IS_AFTER_RETURN)


class LineSplitter:
    """Turns blocks of output into lines of the log and calls for runner commands.

    `find_command` gets a line that may be a command, without its end, and returns what carries it
    out, or None for plain output. `refuse_line` gets the start of a line that is too long to be
    read as the command it begins like, and tells whether the line is to be left out. `since` is
    where the output begins: what stands before has been taken by an earlier splitter.
    `find_problems` looks at whole lines that are no commands, as long as somebody wants it to.
    """

    def __init__(
        self,
        log: StepLog,
        find_command: Callable[[str], Callable[[], None] | None],
        refuse_line: Callable[[str], bool],
        since: Taken = NOTHING_TAKEN,
        find_problems: Callable[[bytes], Iterable[Problem]] | None = None,
    ) -> None:
        self._log = log
        self._find_problems = find_problems
        self._find_command = find_command
        self._refuse_line = refuse_line
        self._process = since.process
        self._fed = since.offset
        self._rest = b""
        self._broken = bool(since.state & IS_BROKEN)
        self._leaving_out = bool(since.state & IS_LEFT_OUT)
        self._after_return = bool(since.state & IS_AFTER_RETURN)
        self._searched = -1

    @property
    def taken(self) -> int:
        """How many bytes of the output are in the log, or need not be."""
        return self._fed - len(self._rest)

    def feed(self, block: bytes) -> None:
        """Take the next block; whole lines in it are handed on before this returns."""
        for start in range(0, len(block), LARGEST_BLOCK_BYTES):
            self._feed(block[start : start + LARGEST_BLOCK_BYTES])

    def _feed(self, block: bytes) -> None:
        dropped = int(self._after_return and block.startswith(b"\n"))
        data = self._rest + self._end_lines(block[dropped:])
        end = data.rfind(b"\n") + 1
        if end:
            place = _Block(
                process=self._process,
                position=self._fed,
                data=block,
                before=len(self._rest),
                dropped=dropped,
            )
            self._take(data[:end], place)
        self._rest = data[end:]
        self._fed += len(block)
        # Where the line is cut, a secret may begin whose end has not come yet.
        while len(self._rest) > LONGEST_LINE_BYTES + self._log.masker.longest:
            self._break()
        self._log.write(b"", self._position())
        self._log.flush()

    def finish(self) -> None:
        """Hand on a last line that has no end."""
        if rest := self._rest:
            place = _Block(
                process=self._process, position=self._fed, data=b"", before=len(rest), dropped=0
            )
            self._take(rest, place)
            self._rest = b""
        self._log.write(b"", self._position())
        self._log.flush()

    def _end_lines(self, block: bytes) -> bytes:
        """Return the block with line feeds as the only ends of lines."""
        self._after_return = block.endswith(b"\r")
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return block

    def _take(self, data: bytes, block: _Block) -> None:
        """Pass whole lines on; the first of them may be the end of a broken one."""
        self._search(data)
        written = position = self._end_broken_line(data, block) if self._broken else 0
        markers = _Markers(data)
        while (hit := markers.find(position)) >= 0:
            start = max(data.rfind(b"\n", position, hit) + 1, position)
            end = data.find(b"\n", hit)
            position = (len(data) if end < 0 else end) + 1
            line = data[start : position - 1]
            if not _may_be_command(line):
                continue
            command = self._find_command(line.decode("utf-8", "replace"))
            if command is None:
                continue
            # A command counts as taken before it acts, so that what it writes is not followed by
            # the command itself; one that hides something, only when it has acted.
            taken = functools.partial(block.taken, data, position)
            is_hiding = _is_hiding(line)
            before = functools.partial(block.taken, data, start) if is_hiding else taken
            self._write(data, written, start, block, before)
            written = position
            command()
            if is_hiding:
                self._log.write(b"", taken)
        self._write(
            data, written, len(data), block, functools.partial(block.taken, data, len(data))
        )

    def _search(self, data: bytes) -> None:
        """Look for secrets in whole lines at once: mostly there are none in any of them."""
        masker = self._log.masker
        count = masker.count
        self._searched = -1 if masker.may_hold_secret(data) else count

    def _end_broken_line(self, data: bytes, block: _Block) -> int:
        end = data.find(b"\n") + 1 or len(data)
        if not self._leaving_out:
            self._log.write(data[:end], functools.partial(block.taken, data, end))
        self._broken = self._leaving_out = False
        return end

    def _write(
        self, data: bytes, start: int, end: int, block: _Block, taken: Callable[[], Taken]
    ) -> None:
        """Write lines to the log; one in which a problem is found is marked there."""
        if self._find_problems is not None and start < end:
            first = start
            for problem in self._find_problems(data[start:end]):
                line_start, line_end = first + problem.start, first + problem.end
                place = functools.partial(block.taken, data, line_start)
                self._log.write(data[start:line_start], place)
                place = functools.partial(block.taken, data, line_end)
                self._log.write_marked(problem.mark.encode(), data[line_start:line_end], place)
                start = line_end
                problem.tell()
        is_masked = self._searched == self._log.masker.count
        self._log.write(data[start:end], taken, is_masked=is_masked)

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

    def _position(self) -> Callable[[], Taken]:
        """Tell how far the output has been taken when only the rest is still to be."""
        if not self._process:
            return Taken
        state = (
            self._broken * IS_BROKEN
            | self._leaving_out * IS_LEFT_OUT
            | (self._after_return and not self._rest) * IS_AFTER_RETURN
        )
        return functools.partial(Taken, self._process, self.taken, state)


class _Markers:
    """Finds the markers of commands in one text from left to right, looking at each byte once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        # Looking for one byte is ten times as fast as for two, and there is hardly ever a `#`.
        self._places = {it: -1 for it in _MARKERS if it[:1] in data}

    def find(self, position: int) -> int:
        """Return where the next marker is, or -1; positions may not go back."""
        first = end = len(self._data)
        for marker, place in self._places.items():
            if place < position:
                found = self._data.find(marker, position)
                place = self._places[marker] = found if found >= 0 else end
            first = min(first, place)
        return first if first < end else -1


def _is_hiding(line: bytes) -> bool:
    lowered = line.lower()
    return any(name in lowered for name in _HIDING)


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
