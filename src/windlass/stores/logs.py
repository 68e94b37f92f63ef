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
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import InputError, PlatformError
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT_BYTES: Final = 4 << 30
"""How much of a job's output is kept: its beginning. What follows is counted and left out."""

LIMIT_NOTICE: Final = b"The log of this job has reached its limit; what follows is not kept.\n"

RECORD: Final = struct.Struct("<QQqQIII4x")
"""End of the block in the log, lines up to there, nanoseconds since the epoch; then what `Taken`
says: offset, and at the end process and state; between them the number of the step."""

RECORDS_AT_ONCE: Final = 4096


@dataclass(frozen=True, slots=True)
class Taken:
    """How far the output of one process has come into the log.

    `process` is its number within the job, from 1; 0 stands for what no process printed. All bytes
    before `offset` are in the log or were runner commands; `state` is how the line that goes on
    there is to be read (see `windlass.jobs.log`).
    """

    process: int = 0
    offset: int = 0
    state: int = 0


NOTHING_TAKEN: Final = Taken()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBlock:
    """One block of whole lines: the key of its step, and when it was written (Unix time).

    `start` and `end` are its place in the log, in bytes; `first_line` counts from 0, in the job.
    """

    number: int
    step: str
    time: float
    start: int
    end: int
    first_line: int
    lines: int
    taken: Taken


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
        if self._is_broken:
            raise OSError(errno.EIO, "an earlier write has failed")

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
        steps = _read_steps(self._steps)
        os.ftruncate(self._steps, sum(len(_step_line(*entry)) for entry in steps))
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
            _write_all(self._steps, _step_line(self._records, step.replace("\n", " ")))
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
            self._index = self._open(_beside(path, "index"))
            self._steps = self._open(_beside(path, "steps"))
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
        count = self._count_records()
        return self._record(count - 1)[0] if count else 0

    @property
    def line_count(self) -> int:
        """How many lines the log has."""
        count = self._count_records()
        return self._record(count - 1)[1] if count else 0

    @property
    def steps(self) -> list[str]:
        """The keys of the steps that have written, in the order of their first lines."""
        return [key for _, key in _read_steps(self._steps)]

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
        steps = _read_steps(self._steps)
        keys = [key for _, key in steps]
        wanted = None
        if step is not None:
            if step not in keys:
                return
            wanted = keys.index(step)
            first = max(first, steps[wanted][0])
        yield from self._list_blocks(first, self._count_records(), keys, wanted)

    def tail(self, count: int, step: str | None = None) -> list[LogLine]:
        """Return the last lines, of the job or of one step."""
        if step is None:
            return self.lines(max(0, self.line_count - count), count)
        parts: list[list[LogLine]] = []
        for block in self._blocks_backwards(step):
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
            blocks = self.blocks(self._find_record(start))
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

    def _count_records(self) -> int:
        """Return how many records speak of bytes that are there; a damaged log has lost some."""
        count = os.fstat(self._index).st_size // RECORD.size
        size = os.fstat(self._log).st_size
        if count and self._record(count - 1)[0] > size:
            count = self._bisect(count, lambda record: record[0] > size)
        return count

    def _find_record(self, line: int) -> int:
        """Return the number of the block that holds a line."""
        return self._bisect(self._count_records(), lambda record: record[1] > line)

    def _bisect(self, count: int, is_after: Callable[[tuple[int, ...]], bool]) -> int:
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if is_after(self._record(middle)):
                high = middle
            else:
                low = middle + 1
        return low

    def _record(self, number: int) -> tuple[int, ...]:
        return RECORD.unpack(os.pread(self._index, RECORD.size, number * RECORD.size))

    def _list_blocks(
        self, first: int, last: int, keys: list[str], wanted: int | None
    ) -> Iterator[LogBlock]:
        start, line = self._record(first - 1)[:2] if 0 < first <= last else (0, 0)
        for base in range(first, last, RECORDS_AT_ONCE):
            size = min(RECORDS_AT_ONCE, last - base) * RECORD.size
            data = os.pread(self._index, size, base * RECORD.size)
            for number, record in enumerate(RECORD.iter_unpack(data), base):
                end, lines, when, offset, step, process, state = record
                if wanted is None or step == wanted:
                    yield LogBlock(
                        number=number,
                        step=keys[step] if step < len(keys) else "",
                        time=when / 1e9,
                        start=start,
                        end=end,
                        first_line=line,
                        lines=lines - line,
                        taken=Taken(process, offset, state),
                    )
                start, line = end, lines

    def _blocks_backwards(self, step: str) -> Iterator[LogBlock]:
        steps = _read_steps(self._steps)
        keys = [key for _, key in steps]
        if step not in keys:
            return
        wanted = keys.index(step)
        last = self._count_records()
        while last > steps[wanted][0]:
            first = max(steps[wanted][0], last - RECORDS_AT_ONCE)
            yield from reversed(list(self._list_blocks(first, last, keys, wanted)))
            last = first

    def _lines_of(self, block: LogBlock, start: int = 0, end: int | None = None) -> list[LogLine]:
        texts, first = self.read_block(block).split(b"\n")[:-1], block.first_line
        return [
            LogLine(first + number, block.step, block.time, text.decode(errors="replace"))
            for number, text in enumerate(texts[start:end], start)
        ]


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _read_steps(descriptor: int) -> list[tuple[int, str]]:
    """Return the number of the first record and the key of each step, by the steps' numbers."""
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    lines = data.decode("utf-8", "replace").split("\n")[:-1]
    found = []
    for line in lines:
        first, _, key = line.partition(" ")
        found.append((int(first) if first.isdigit() else 0, key))
    return found


def _step_line(first_record: int, key: str) -> bytes:
    return f"{first_record} {key}\n".encode("utf-8", "replace")


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])
