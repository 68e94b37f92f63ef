"""Logs and events are a runner's: whatever it sends, nobody reads for ever, or all at once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.hosted_site import make_site
from tests.live_server import GrowingRun

from windlass.errors import InputError
from windlass.operations.hosted.logs import (
    BYTES_AT_ONCE,
    EVENTS_AT_ONCE,
    JobOfRun,
    read_events,
    read_lines,
)
from windlass.protocol import events
from windlass.stores.log_index import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

JOB = JobOfRun(run="1", attempt=1, number=1)
TEXT = b"one\ntwo\nthree\n"
Record = tuple[int, int]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = make_site(tmp_path_factory.mktemp("site"))
    GrowingRun(made).add_job()
    yield made
    made.store.close()


def forge(site: Site, log: bytes, records: list[Record]) -> None:
    """Write a log whose index says of each block where it ends, in bytes and in lines."""
    folder = site.data / "runs" / "1" / "1" / "jobs" / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log").write_bytes(log)
    (folder / "log.steps").write_bytes(b"0 build\n")
    packed = [RECORD.pack(end, lines, 0, 0, 0, 0, 0) for end, lines in records]
    (folder / "log.index").write_bytes(b"".join(packed))


def read_all(site: Site) -> list[str]:
    """Read as a watcher does, and fail where that does not get on."""
    found: list[str] = []
    position = 0
    for _ in range(100):
        part = read_lines(site, JOB, position)
        if not part.printed:
            return found
        for printed in part.printed:
            assert printed.first >= position
            position = printed.first + len(printed.lines)
            found += printed.lines
    raise AssertionError("there is no end to it")


def test_an_index_that_tells_of_more_lines(site: Site) -> None:
    """Numbers are as the index has them; what is not there is empty."""
    forge(site, TEXT, [(8, 4), (14, 5)])

    assert read_all(site) == ["one", "two", "", "", "three"]


def test_an_index_that_tells_of_fewer_lines(site: Site) -> None:
    """What is too much is left out."""
    forge(site, TEXT, [(14, 1)])

    assert read_all(site) == ["one"]


@pytest.mark.parametrize(
    "records",
    [[(14, 1 << 60)], [(14, 15)], [(8, 2), (4, 5)], [(4, 2), (8, 1), (14, 3)]],
    ids=["endless", "more lines than bytes", "bytes backwards", "lines backwards"],
)
def test_an_index_that_cannot_be(site: Site, records: list[Record]) -> None:
    """It is refused before anything is made of it."""
    forge(site, TEXT, records)

    with pytest.raises(InputError, match="the log is damaged from line"):
        read_all(site)


def test_a_block_that_is_too_large(site: Site) -> None:
    """A line of gigabytes is not read into memory; a file with a hole takes no room to have."""
    forge(site, b"", [(1 << 32, 1)])
    with (site.data / "runs/1/1/jobs/1/log").open("r+b") as file:
        file.truncate(1 << 32)

    with pytest.raises(InputError, match="the log is damaged"):
        read_lines(site, JOB)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    records=st.lists(
        st.tuples(st.integers(0, 20) | st.integers(0, (1 << 64) - 1), st.integers(0, 9)), max_size=6
    ),
    rest=st.binary(max_size=RECORD.size - 1),
)
def test_any_index(site: Site, records: list[Record], rest: bytes) -> None:
    """Reading ends, with lines or with a refusal."""
    forge(site, TEXT, records)
    with (site.data / "runs/1/1/jobs/1/log.index").open("ab") as file:
        file.write(rest)

    with suppress(InputError):
        assert all(isinstance(line, str) for line in read_all(site))


def test_large_events_come_a_few_at_a_time(tmp_path: Path) -> None:
    """Small ones come by the hundred; all of them come, and none twice."""
    site = make_site(tmp_path)
    run = GrowingRun(site)
    run.say_lines(1000)
    large = events.Summary(job="build", step="1", markdown="x" * BYTES_AT_ONCE)
    for _ in range(20):
        run.say(large)
    sizes, lines = [], list[str]()
    while found := read_events(site, "1", 1, len(lines)).lines:
        sizes.append(sum(map(len, found)))
        lines += found

    assert len(lines) == 1020
    assert max(sizes) < 2 * BYTES_AT_ONCE
    assert len(read_events(site, "1", 1, 100).lines) == EVENTS_AT_ONCE - 100
    site.store.close()
