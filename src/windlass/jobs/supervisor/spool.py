"""What a process has printed and the log does not hold yet: memory that survives Windlass.

A spool is a row of segments of one size, so that positions never change and what is in the log can
be let go from the front. A segment is an anonymous file (memfd_create(2)) that the supervisor holds
open too: nothing that may be secret gets to a disk, and nothing has to be removed. Bytes go from
the pipe into the file without passing through this program's own memory: whenever it is killed,
each byte is in one of the two.
"""

from __future__ import annotations

import os

SEGMENT_BYTES = 4 << 20
BLOCK_BYTES = 1 << 18

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Spool:
    """The output of one process, between its pipe and the log."""

    def __init__(
        self, file: int, hand_over: Callable[[int, int], None], drop: Callable[[int], None]
    ) -> None:
        """Begin with the first segment, which is closed by the spool.

        `hand_over` gets the number and the file of each other one before anything is in it, `drop`
        the number of each that is not needed any more.
        """
        self._file = file
        self._hand_over = hand_over
        self._drop = drop
        self._first = self._segment = 0
        self._end = 0

    @property
    def end(self) -> int:
        """The position after the last byte that was taken."""
        return self._end

    def take(self, pipe: int, most: int = BLOCK_BYTES) -> bytes:
        """Move what a pipe holds into the spool, waiting for it, and return it; b"" at its end.

        Raises:
            OSError: there is no memory. What was not moved is still in the pipe.
        """
        segment, position = divmod(self._end, SEGMENT_BYTES)
        if segment != self._segment:
            self._begin(segment)
        count = os.splice(
            pipe, self._file, min(most, SEGMENT_BYTES - position), offset_dst=position
        )
        self._end += count
        return os.pread(self._file, count, position)

    def release(self, offset: int) -> None:
        """Let go of whole segments before a position: they are in the log."""
        while (self._first + 1) * SEGMENT_BYTES <= offset:
            self._drop(self._first)
            self._first += 1

    def close(self) -> None:
        """Let go of all of it."""
        os.close(self._file)

    def _begin(self, segment: int) -> None:
        file = make_segment()
        self._hand_over(segment, file)
        os.close(self._file)
        self._file, self._segment = file, segment


def make_segment() -> int:
    """Return a new empty segment.

    Raises:
        OSError: there is no memory, or no number left for an open file.
    """
    return os.memfd_create("windlass-spool", os.MFD_CLOEXEC)


def read_segments(segments: Mapping[int, int], start: int) -> Iterator[bytes]:
    """Yield what a spool holds from a position on, in blocks."""
    for segment in sorted(segments):
        position = max(0, start - segment * SEGMENT_BYTES)
        while block := os.pread(segments[segment], BLOCK_BYTES, position):
            position += len(block)
            yield block


def read_pipe(pipe: int) -> Iterator[bytes]:
    """Yield what is left in a pipe, in blocks, without waiting for whoever may hold it open."""
    os.set_blocking(pipe, False)
    while True:
        try:
            block = os.read(pipe, BLOCK_BYTES)
        except BlockingIOError:
            return
        if not block:
            return
        yield block
