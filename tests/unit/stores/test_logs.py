"""The log of a job: what is written is what is read, also after a crash at any byte."""

from __future__ import annotations

import os
import resource
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.errors import InputError, PlatformError
from windlass.stores.log_index import RECORD, Taken
from windlass.stores.logs import LIMIT_NOTICE, JobLogReader, JobLogWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Write = tuple[str, bytes]

lines = st.lists(st.sampled_from([b"", b"a", b"some words", "ä".encode(), b"\xff\x00"]), max_size=5)
writes = st.lists(
    st.tuples(
        st.sampled_from(["build", "test", "__run.2", "post:build"]),
        lines.map(lambda them: b"".join(line + b"\n" for line in them)),
    ),
    max_size=12,
)


def write_log(path: Path, written: Sequence[Write]) -> None:
    writer = JobLogWriter(path)
    for number, (step, data) in enumerate(written):
        writer.write(step, data, Taken(1, number))
    writer.close()


def split(written: Sequence[Write], step: str | None = None) -> list[tuple[str, str]]:
    return [
        (key, line.decode(errors="replace"))
        for key, data in written
        for line in data.split(b"\n")[:-1]
        if step in (None, key)
    ]


def read(reader: JobLogReader, start: int, count: int, step: str | None) -> list[tuple[str, str]]:
    return [(line.step, line.text) for line in reader.lines(start, count, step)]


@settings(max_examples=60, deadline=None)
@given(
    written=writes,
    start=st.integers(0, 30),
    count=st.integers(0, 30),
    step=st.sampled_from([None, "build", "test", "unknown"]),
)
def test_any_part_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    written: list[Write],
    start: int,
    count: int,
    step: str | None,
) -> None:
    """Lines from anywhere, of the job or of a step, and the last ones, are those written."""
    path = tmp_path_factory.mktemp("log") / "log"
    write_log(path, written)
    expected = split(written, step)

    with JobLogReader(path) as reader:
        assert reader.line_count == len(split(written))
        assert reader.size == sum(len(data) for _, data in written)
        assert read(reader, start, count, step) == expected[start : start + count]
        tail = [(line.step, line.text) for line in reader.tail(count, step)]
        assert tail == (expected[-count:] if count else [])
        numbers = [line.number for line in reader.lines(0, 1000)]
        assert numbers == list(range(reader.line_count))


@settings(max_examples=60, deadline=None)
@given(written=writes, later=writes, cut=st.floats(0, 1), which=st.sampled_from(["log", "index"]))
def test_writer_dies_at_any_byte(
    tmp_path_factory: pytest.TempPathFactory,
    written: list[Write],
    later: list[Write],
    cut: float,
    which: str,
) -> None:
    """After a crash the log is what its index vouches for; the next writer goes on behind that."""
    path = tmp_path_factory.mktemp("log") / "log"
    write_log(path, written)
    torn = path if which == "log" else path.with_name("log.index")
    os.truncate(torn, round(cut * torn.stat().st_size))
    with JobLogReader(path) as reader:
        kept = len(list(reader.blocks()))
        found = read(reader, 0, 1000, None)
    write_log(path, later)

    assert found == split(written[:kept])
    with JobLogReader(path) as reader:
        assert read(reader, 0, 1000, None) == split([*written[:kept], *later])
        assert reader.size == path.stat().st_size
        taken = [block.taken.offset for block in reader.blocks()]
        assert taken == [*range(kept), *range(len(later))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def writer(path: Path) -> Iterator[JobLogWriter]:
    writer = JobLogWriter(path)
    yield writer
    writer.close()


def test_whole_lines_only(path: Path, writer: JobLogWriter) -> None:
    """What ends without a line feed is given one: the next step's words begin a line."""
    writer.write("a", b"no end")
    writer.write("b", b"next\n")

    assert path.read_bytes() == b"no end\nnext\n"


def test_whoever_follows_gets_each_block_once(path: Path, writer: JobLogWriter) -> None:
    """A reader asks for blocks from the one after the last it has seen."""
    writer.write("a", b"1\n")
    with JobLogReader(path) as reader:
        first = [reader.read_block(block) for block in reader.blocks()]
        writer.write("b", b"2\n")
        writer.write("a", b"3\n")
        others = [reader.read_block(block) for block in reader.blocks(1)]
        of_one = [reader.read_block(block) for block in reader.blocks(1, "a")]

        assert (first, others, of_one) == ([b"1\n"], [b"2\n", b"3\n"], [b"3\n"])
        assert list(reader.blocks(3)) == []
        assert reader.read(2, 100) == b"2\n3\n"
        assert reader.read(6, 100) == b""


def test_nobody_else_may_read(path: Path, writer: JobLogWriter) -> None:
    """A log is its user's own."""
    writer.write("a", b"x\n")

    assert {it.stat().st_mode & 0o777 for it in path.parent.iterdir()} == {0o600}


def test_limit(path: Path) -> None:
    """The beginning is kept, as whole lines; what follows is counted and said."""
    writer = JobLogWriter(path, limit=10)
    writer.write("a", b"123\n")
    writer.write("a", b"456\n789\n", Taken(1, 8))
    writer.write("b", b"more\nand more\n", Taken(1, 22))
    writer.close()

    text = path.read_bytes()
    assert text == b"123\n456\n" + LIMIT_NOTICE + b"3 lines (18 bytes) were not kept.\n"
    with JobLogReader(path) as reader:
        assert [block.taken.offset for block in reader.blocks()] == [0, 8, 22, 0]


def test_disk_refuses(path: Path) -> None:
    """A block that cannot be written is an error and not half in the log; the job can still end."""
    writer = JobLogWriter(path)
    writer.write("a", b"first\n")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(PlatformError, match="cannot be written: File too large"):
            writer.write("a", b"x" * 200 + b"\n", Taken(1, 200))
        with pytest.raises(PlatformError, match="cannot be written: File too large"):
            writer.write("b", b"y\n", Taken(2, 1))
        writer.write("b", b"of the runner\n")
        writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)

    assert path.read_bytes() == b"first\n"


def test_log_that_is_not_there(path: Path) -> None:
    """A log that was removed, or never written, is named."""
    with pytest.raises(InputError, match="log cannot be read: No such file"):
        JobLogReader(path)


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """So is one that cannot be written."""
    with pytest.raises(PlatformError, match="cannot be written: No such file"):
        JobLogWriter(tmp_path / "nowhere" / "log")


def test_index_of_nonsense(path: Path) -> None:
    """A damaged index shows less, and breaks nothing."""
    write_log(path, [("a", b"x\n"), ("a", b"y\n")])
    index = path.with_name("log.index")
    index.write_bytes(os.urandom(RECORD.size) + b"\xff" * RECORD.size)

    with JobLogReader(path) as reader:
        assert reader.size <= 4
        assert len(reader.tail(10)) <= 2
