"""The log of one job: masked bytes in one file, and beside it an index that says whose they are.

Three files, all only ever appended to:

    log          whole lines, masked, in the order they came
    log.index    one record of a fixed size for every block that was written
    log.steps    one line for every step that wrote: the number of its first record, and its key

A block counts once its record is there. What stands in `log` behind the last record was being
written when its writer died, and the next writer cuts it off. A record also says how much of the
output that is kept elsewhere until it is in the log (`Taken`) has arrived here.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import InputError, PlatformError
from windlass.model.values import dataclass, field
from windlass.stores.log_index import (
    NOTHING_TAKEN,
    RECORD,
    LogBlock,
    LogIndex,
    Taken,
    read_steps,
    step_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT_BYTES: Final = 4 << 30
"""How much of a job's output is kept: its beginning. What follows is counted and left out."""

LIMIT_NOTICE: Final = b"The log of this job has reached its limit; what follows is not kept.\n"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line without its end; `number` counts from 0 in the job."""

    number: int
    step: str
    time: float
    text: str = field(repr=False)


class JobLogWriter:
    """Appends to the log of one job, from any thread; goes on where an earlier writer stopped.

    Once the disk has refused a block, every other block of a process is refused too. Lines of the
    runner's own are dropped then, so that the job can still be brought to its end.
    """

    def __init__(self, path: Path, *, limit: int = LIMIT_BYTES) -> None:
        """Open or make the three files; `path` is that of the log itself.

        Raises:
            PlatformError: the file system refused.
        """
        self.path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._is_broken = False
        self._refusal = errno.EIO
        self._lost_bytes = self._lost_lines = 0
        self._descriptors: list[int] = []
        try:
            self._log = self._open(path)
            self._index = self._open(_beside(path, "index"))
            self._steps = self._open(_beside(path, "steps"))
            self._resume()
        except OSError as error:
            self.close()
            raise PlatformError(f"The log {path} cannot be written: {error.strerror}") from error

    def write(self, step: str, data: bytes, taken: Taken = NOTHING_TAKEN) -> None:
        """Add lines of a step, which are masked already; without data only `taken` is noted.

        A last line without an end is given one: every block is whole lines.

        Raises:
            PlatformError: the disk refused. Nothing of the block is in the log then.
        """
        if data and not data.endswith(b"\n"):
            data += b"\n"
        with self._lock:
            if self._is_broken and not taken.process:
                return
            try:
                self._require_whole()
                self._append(step, data, taken)
            except OSError as error:
                self._is_broken = True
                self._refusal = error.errno or self._refusal
                self._cut()
                raise PlatformError(
                    f"The log of the job cannot be written: {error.strerror}",
                    hint=f"It is kept in {self.path.parent}; make room there and run again.",
                ) from error

    def close(self) -> None:
        """Say what was left out, if anything was, and close the files."""
        with self._lock:
            if self._lost_lines and not self._is_broken:
                text = f"{self._lost_lines} lines ({self._lost_bytes} bytes) were not kept.\n"
                self._limit = self._end + len(text)
                with suppress(OSError):
                    self._append(self._last_step, text.encode(), NOTHING_TAKEN)
            self._is_broken = True
            for descriptor in self._descriptors:
                os.close(descriptor)
            self._descriptors.clear()

    def _require_whole(self) -> None:
        """Refuse for the reason for which an earlier write was refused."""
        if self._is_broken:
            raise OSError(self._refusal, os.strerror(self._refusal))

    def _open(self, path: Path) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._descriptors.append(descriptor)
        return descriptor

    def _resume(self) -> None:
        """Find the end of what counts, and cut off what does not."""
        self._end = self._line_count = self._records = 0
        self._last_step = ""
        records = os.fstat(self._index).st_size // RECORD.size
        size = os.fstat(self._log).st_size
        while records:
            found = RECORD.unpack(os.pread(self._index, RECORD.size, (records - 1) * RECORD.size))
            if found[0] <= size:
                self._end, self._line_count, self._records = found[0], found[1], records
                break
            records -= 1
        steps = read_steps(self._steps)
        os.ftruncate(self._steps, sum(len(step_line(*entry)) for entry in steps))
        self._numbers = {key: number for number, (_, key) in enumerate(steps)}
        self._cut()

    def _append(self, step: str, data: bytes, taken: Taken) -> None:
        if self._end + len(data) > self._limit:
            data = self._keep_beginning(data)
        number = self._intern(step)
        if data:
            _write_all(self._log, data)
        end, lines = self._end + len(data), self._line_count + data.count(b"\n")
        record = RECORD.pack(
            end, lines, time.time_ns(), taken.offset, number, taken.process, taken.state
        )
        _write_all(self._index, record)
        self._end, self._line_count, self._last_step = end, lines, step
        self._records += 1

    def _keep_beginning(self, data: bytes) -> bytes:
        """Return the lines for which there is still room, and count the others."""
        kept = b""
        if not self._lost_lines:
            room = max(0, self._limit - self._end)
            kept = data[: data.rfind(b"\n", 0, room) + 1]
        lost = data[len(kept) :]
        notice = LIMIT_NOTICE if lost and not self._lost_lines else b""
        self._lost_bytes += len(lost)
        self._lost_lines += lost.count(b"\n")
        return kept + notice

    def _intern(self, step: str) -> int:
        number = self._numbers.get(step)
        if number is None:
            _write_all(self._steps, step_line(self._records, step.replace("\n", " ")))
            number = self._numbers[step] = len(self._numbers)
        return number

    def _cut(self) -> None:
        """Take away what does not count; harmless to leave where even that is refused."""
        try:
            os.ftruncate(self._log, self._end)
            os.ftruncate(self._index, self._records * RECORD.size)
        except OSError:
            self._is_broken = True


class JobLogReader:
    """Reads the log of one job, also while it is being written.

    Nothing is read on opening; every question looks at the files anew.
    """

    def __init__(self, path: Path) -> None:
        """Open the log at `path`.

        Raises:
            InputError: the log, or its index, is not there or cannot be read.
        """
        self._descriptors: list[int] = []
        try:
            self._log = self._open(path)
            index, steps = (self._open(_beside(path, name)) for name in ("index", "steps"))
            self._index = LogIndex(self._log, index, steps)
        except OSError as error:
            self.close()
            raise InputError(f"The log {path} cannot be read: {error.strerror}") from error

    def __enter__(self) -> JobLogReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()

    @property
    def size(self) -> int:
        """How many bytes of the log count."""
        count = self._index.count()
        return self._index.record(count - 1)[0] if count else 0

    @property
    def line_count(self) -> int:
        """How many lines the log has."""
        count = self._index.count()
        return self._index.record(count - 1)[1] if count else 0

    @property
    def steps(self) -> list[str]:
        """The keys of the steps that have written, in the order of their first lines."""
        return [key for _, key in self._index.steps]

    def read(self, start: int, size: int) -> bytes:
        """Return bytes of the log, for whoever follows it: none where there are none yet."""
        return os.pread(self._log, max(0, min(size, self.size - start)), start)

    def read_block(self, block: LogBlock) -> bytes:
        """Return the lines of a block."""
        return os.pread(self._log, block.end - block.start, block.start)

    def blocks(self, first: int = 0, step: str | None = None) -> Iterator[LogBlock]:
        """Yield the blocks there are now from one number on; the next unread one is the last + 1.

        Whoever follows a log asks again from there.
        """
        steps = self._index.steps
        keys = [key for _, key in steps]
        wanted = None
        if step is not None:
            if step not in keys:
                return
            wanted = keys.index(step)
            first = max(first, steps[wanted][0])
        yield from self._index.list_blocks(first, self._index.count(), keys, wanted)

    def find_block(self, line: int) -> int:
        """Return the number of the block that holds a line; of the next one where none does."""
        return self._index.find_line(line)

    def tail(self, count: int, step: str | None = None) -> list[LogLine]:
        """Return the last lines, of the job or of one step."""
        if step is None:
            return self.lines(max(0, self.line_count - count), count)
        parts: list[list[LogLine]] = []
        for block in self._index.list_backwards(step):
            if count <= 0:
                break
            parts.append(self._lines_of(block, max(0, block.lines - count)))
            count -= block.lines
        return [line for part in reversed(parts) for line in part]

    def lines(self, start: int, count: int, step: str | None = None) -> list[LogLine]:
        """Return `count` lines from number `start` on; with a step, counted within that step."""
        lines: list[LogLine] = []
        if step is None:
            passed = start
            blocks = self.blocks(self._index.find_line(start))
        else:
            passed = 0
            blocks = self.blocks(step=step)
        for block in blocks:
            if len(lines) >= count:
                break
            before = block.first_line if step is None else passed
            passed += block.lines
            if before + block.lines > start:
                skipped = max(0, start - before)
                lines += self._lines_of(block, skipped, skipped + count - len(lines))
        return lines

    def _open(self, path: Path) -> int:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._descriptors.append(descriptor)
        return descriptor

    def _lines_of(self, block: LogBlock, start: int = 0, end: int | None = None) -> list[LogLine]:
        texts, first = self.read_block(block).split(b"\n")[:-1], block.first_line
        return [
            LogLine(first + number, block.step, block.time, text.decode(errors="replace"))
            for number, text in enumerate(texts[start:end], start)
        ]


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])
