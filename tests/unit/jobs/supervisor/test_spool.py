"""What was printed and is not in the log yet, in memory that two processes hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.jobs.supervisor import spool
from windlass.jobs.supervisor.spool import Spool, make_segment, read_pipe, read_segments

if TYPE_CHECKING:
    from collections.abc import Iterator


class Keeper:
    """The supervisor's side: holds the segments."""

    def __init__(self) -> None:
        first = make_segment()
        self.segments = {0: os.dup(first)}
        self.dropped: list[int] = []
        self.spool = Spool(first, self.take_over, self.drop)

    def take_over(self, segment: int, file: int) -> None:
        self.segments[segment] = os.dup(file)

    def drop(self, segment: int) -> None:
        self.dropped.append(segment)
        os.close(self.segments.pop(segment))

    def close(self) -> None:
        self.spool.close()
        for file in self.segments.values():
            os.close(file)


@pytest.fixture(autouse=True)
def small_segments() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "SEGMENT_BYTES", 10)
        yield


@given(blocks=st.lists(st.binary(min_size=1, max_size=40), max_size=8), released=st.floats(0, 1))
def test_all_that_is_not_released_can_be_read(blocks: list[bytes], released: float) -> None:
    """Whatever was taken is returned, and kept from the position on that was released."""
    keeper = Keeper()
    reader, writer = os.pipe()
    taken = b""
    for block in blocks:
        os.write(writer, block)
        size = len(taken) + len(block)
        while len(taken) < size:
            taken += keeper.spool.take(reader)
    offset = round(released * len(taken))
    keeper.spool.release(offset)

    assert taken == b"".join(blocks)
    assert keeper.spool.end == len(taken)
    assert b"".join(read_segments(keeper.segments, offset)) == taken[offset:]
    assert keeper.dropped == list(range(offset // 10))
    os.close(writer)
    assert keeper.spool.take(reader) == b""
    os.close(reader)
    keeper.close()


def test_rest_of_a_pipe() -> None:
    """What is left in a pipe is read without waiting for whoever holds it open."""
    reader, writer = os.pipe()
    os.write(writer, b"rest")

    assert list(read_pipe(reader)) == [b"rest"]
    os.close(writer)
    assert list(read_pipe(reader)) == []
    os.close(reader)
