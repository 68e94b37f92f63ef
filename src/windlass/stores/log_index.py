"""The index of a job's log: what is written beside it, and how a block of it is found.

Every block that is written to the log has one record of a fixed size, so that blocks and lines are
found by a search. Keys of steps stand in a file of their own, once each.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


class LogIndex:
    """Reads the index of a log, also while it is being written: three open files."""

    def __init__(self, log: int, index: int, steps: int) -> None:
        self._log = log
        self._index = index
        self._steps = steps

    @property
    def steps(self) -> list[tuple[int, str]]:
        """The number of the first record and the key of each step that has written, in order."""
        return read_steps(self._steps)

    def count(self) -> int:
        """Return how many records speak of bytes that are there; a damaged log has lost some."""
        count = os.fstat(self._index).st_size // RECORD.size
        size = os.fstat(self._log).st_size
        if count and self.record(count - 1)[0] > size:
            count = self._bisect(count, lambda record: record[0] > size)
        return count

    def find_line(self, line: int) -> int:
        """Return the number of the block that holds a line."""
        return self._bisect(self.count(), lambda record: record[1] > line)

    def _bisect(self, count: int, is_after: Callable[[tuple[int, ...]], bool]) -> int:
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if is_after(self.record(middle)):
                high = middle
            else:
                low = middle + 1
        return low

    def record(self, number: int) -> tuple[int, ...]:
        """Return one record; see `RECORD`."""
        return RECORD.unpack(os.pread(self._index, RECORD.size, number * RECORD.size))

    def list_blocks(
        self, first: int, last: int, keys: list[str], wanted: int | None
    ) -> Iterator[LogBlock]:
        """Yield blocks from one number up to another; with `wanted`, those of the step so numbered.

        `keys` are the keys of the steps, by their numbers.
        """
        start, line = self.record(first - 1)[:2] if 0 < first <= last else (0, 0)
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

    def list_backwards(self, step: str) -> Iterator[LogBlock]:
        """Yield the blocks of a step from the last one on."""
        steps = self.steps
        keys = [key for _, key in steps]
        if step not in keys:
            return
        wanted = keys.index(step)
        last = self.count()
        while last > steps[wanted][0]:
            first = max(steps[wanted][0], last - RECORDS_AT_ONCE)
            yield from reversed(list(self.list_blocks(first, last, keys, wanted)))
            last = first


def read_steps(descriptor: int) -> list[tuple[int, str]]:
    """Return the number of the first record and the key of each step, by the steps' numbers."""
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    lines = data.decode("utf-8", "replace").split("\n")[:-1]
    found = []
    for line in lines:
        first, _, key = line.partition(" ")
        found.append((int(first) if first.isdigit() else 0, key))
    return found


def step_line(first_record: int, key: str) -> bytes:
    """Return what is written down of a step."""
    return f"{first_record} {key}\n".encode("utf-8", "replace")
