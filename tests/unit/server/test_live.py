"""What is told live, and where there is nothing to tell; the log of a job as a text."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.hosted_site import ask, make_site
from tests.live_server import GrowingRun

from windlass.server.live.hub import Hub
from windlass.server.live.sources import EventSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_site(tmp_path)
    yield made
    made.store.close()


WRONG = (
    ("events?attempt=2", 404, "run 1 has no attempt 2"),
    ("events?attempt=x", 400, "'attempt' is not a whole number: 'x'"),
    ("events?after=-2", 400, "'after' is -2, and at least -1 is expected"),
    ("events?after=99999999999999999999", 400, "'after' is not a whole number"),
    ("jobs/7/log", 404, "attempt 1 of run 1 has no job 7"),
    ("jobs/0/log", 400, "at least 1 is expected"),
    ("jobs/7/log.txt", 404, "attempt 1 of run 1 has no job 7"),
)


@pytest.mark.parametrize(("path", "status", "detail"), WRONG, ids=[it[0] for it in WRONG])
def test_what_is_not_there(site: Site, path: str, status: int, detail: str) -> None:
    """A problem says what was expected."""
    GrowingRun(site)
    answer = ask(site).get(f"/api/v1/runs/1/{path}")

    assert answer.status_code == status
    assert detail in answer.json()["detail"]
    assert ask(site, token=None).get(f"/api/v1/runs/1/{path}").status_code == 401


RANGES = (
    (None, 200, b"0123456789\n", None),
    ("bytes=0-3", 206, b"0123", "bytes 0-3/11"),
    ("bytes=8-", 206, b"89\n", "bytes 8-10/11"),
    ("bytes=-2", 206, b"9\n", "bytes 9-10/11"),
    ("bytes=-99", 206, b"0123456789\n", "bytes 0-10/11"),
    ("bytes=5-99", 206, b"56789\n", "bytes 5-10/11"),
    ("bytes=11-", 416, None, "bytes */11"),
    ("bytes=-0", 416, None, "bytes */11"),
    ("bytes=3-1", 416, None, "bytes */11"),
    ("bytes=0-1,4-5", 200, b"0123456789\n", None),
    ("bytes=-", 200, b"0123456789\n", None),
    ("lines=1-2", 200, b"0123456789\n", None),
)


@pytest.mark.parametrize(
    ("wanted", "status", "body", "told"), RANGES, ids=[str(it[0]) for it in RANGES]
)
def test_a_log_as_text(
    site: Site,
    wanted: str | None,
    status: int,
    body: bytes | None,
    told: str | None,
) -> None:
    """The whole of it or a part, as far as it has been written, and never as a page."""
    run = GrowingRun(site)
    run.add_job()
    run.print(b"0123456789\n")
    headers = {} if wanted is None else {"Range": wanted}
    answer = ask(site).get("/api/v1/runs/1/jobs/1/log.txt", headers=headers)

    assert answer.status_code == status
    assert answer.headers.get("content-range") == told
    if body is not None:
        assert answer.content == body
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_job_that_has_not_printed(site: Site) -> None:
    """It has an empty log; another run's name never leads out of the folder of runs."""
    GrowingRun(site).add_job()
    (site.data / "runs" / "1" / "1" / "jobs").mkdir(parents=True)

    assert ask(site).get("/api/v1/runs/1/jobs/1/log.txt").content == b""
    assert ask(site).get("/api/v1/runs/%2e%2e/jobs/1/log.txt").status_code == 404


def test_heads_alone(site: Site) -> None:
    """They say what all of it would be, and do not wait for the end of anything."""
    run = GrowingRun(site)
    run.add_job()
    run.print(b"0123456789\n")
    text = ask(site).head("/api/v1/runs/1/jobs/1/log.txt", headers={"Range": "bytes=2-3"})
    stream = ask(site).head("/api/v1/runs/1/events")

    assert (text.status_code, text.headers["content-length"], text.content) == (200, "11", b"")
    assert stream.headers["content-type"].startswith("text/event-stream")


def test_a_fault_of_our_own(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for ever for what cannot come: it is logged, and the watchers are let go."""

    class Broken(EventSource):
        def count(self) -> int:
            raise ZeroDivisionError

    async def play() -> None:
        async with Hub(site.changes).watching(Broken(site, "1", 1)) as tail:
            async with asyncio.timeout(60):
                await anext(tail.watch(0))

    with pytest.raises(ZeroDivisionError):
        asyncio.run(play())
    assert "what is new cannot be followed" in caplog.text


def test_what_nobody_watches_wakes_nobody(site: Site) -> None:
    """Only what somebody cares for gets to the event loop."""
    GrowingRun(site)

    async def play() -> list[str]:
        hub, heard = Hub(site.changes), list[str]()
        hub._hear = heard.append  # type: ignore[method-assign]
        async with hub.watching(EventSource(site, "1", 1)):
            for topic in ("jobs", "run/2/1", "run/1/1/log/1", "run/1/1", "leaving"):
                site.changes.tell(topic)
            await asyncio.sleep(0)
        site.changes.tell("run/1/1")
        await asyncio.sleep(0)
        return heard

    assert asyncio.run(play()) == ["run/1/1", "leaving"]
