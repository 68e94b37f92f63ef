"""What a process has printed and the log does not hold yet: files that survive Windlass.

A spool is a row of segments of one size, `spool.PROCESS.SEGMENT`, so that positions never change
and what is in the log can be removed from the front. Bytes go from the pipe into the file without
passing through this program's memory: whenever it is killed, each byte is in one of the two.
"""

from __future__ import annotations

import errno
import os

SEGMENT_BYTES = 8 << 20
BLOCK_BYTES = 1 << 18

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Spool:
    """The output of one process, between its pipe and the log."""

    def __init__(self, folder: str, process: int, end: int = 0) -> None:
        """Name the folder of the job's log and the process; `end` is where its output goes on."""
        self._folder = folder
        self._process = process
        self._end = end
        self._first = end // SEGMENT_BYTES
        self._file = -1
        self._segment = -1

    @property
    def end(self) -> int:
        """The position after the last byte that was taken."""
        return self._end

    def take(self, pipe: int, most: int = BLOCK_BYTES) -> bytes:
        """Move what a pipe holds into the spool, waiting for it, and return it; b"" at its end.

        Raises:
            OSError: the file system refused. What was not moved is still in the pipe.
        """
        segment, position = divmod(self._end, SEGMENT_BYTES)
        if segment != self._segment:
            self._open(segment)
        count = self._move(pipe, min(most, SEGMENT_BYTES - position), position)
        data = os.pread(self._file, count, position)
        self._end += count
        return data

    def release(self, offset: int) -> None:
        """Remove whole segments before a position: they are in the log."""
        while (self._first + 1) * SEGMENT_BYTES <= offset:
            _remove(segment_path(self._folder, self._process, self._first))
            self._first += 1

    def close(self) -> None:
        """Remove all of it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            for segment in range(self._first, self._segment + 1):
                _remove(segment_path(self._folder, self._process, segment))

    def _open(self, segment: int) -> None:
        path = segment_path(self._folder, self._process, segment)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._segment = file, segment

    def _move(self, pipe: int, most: int, position: int) -> int:
        try:
            return os.splice(pipe, self._file, most, offset_dst=position)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        # This file system takes no pages from pipes: a kill between the two calls loses a block.
        data = os.read(pipe, most)
        written = 0
        while written < len(data):
            written += os.pwrite(self._file, data[written:], position + written)
        return len(data)


def segment_path(folder: str, process: int, segment: int) -> str:
    """Return the path of one segment."""
    return f"{folder}/spool.{process}.{segment}"


def list_segments(folder: str) -> dict[int, list[int]]:
    """Return the segments that are there by the process, both in order."""
    found: dict[int, list[int]] = {}
    for name in os.listdir(folder):  # noqa: PTH208 - pathlib is not imported here
        lead, *numbers = name.split(".")
        if lead == "spool" and len(numbers) == 2 and all(it.isdigit() for it in numbers):
            found.setdefault(int(numbers[0]), []).append(int(numbers[1]))
    return {process: sorted(found[process]) for process in sorted(found)}


def find_end(folder: str, process: int, segments: list[int]) -> int:
    """Return the position after the last byte of a spool; 0 where there is none."""
    if not segments:
        return 0
    last = segments[-1]
    return last * SEGMENT_BYTES + os.stat(segment_path(folder, process, last)).st_size  # noqa: PTH116


def read_spool(folder: str, process: int, segments: list[int], start: int) -> Iterator[bytes]:
    """Yield what a spool holds from a position on, in blocks."""
    for segment in segments:
        base = segment * SEGMENT_BYTES
        with open(segment_path(folder, process, segment), "rb") as file:  # noqa: PTH123
            file.seek(max(0, start - base))
            while block := file.read(BLOCK_BYTES):
                yield block


def remove_spools(folder: str) -> None:
    """Remove every spool of a job."""
    for process, segments in list_segments(folder).items():
        for segment in segments:
            _remove(segment_path(folder, process, segment))


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except FileNotFoundError:
        return
