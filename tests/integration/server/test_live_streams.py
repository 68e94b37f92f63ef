"""Event streams over a socket: nothing is lost or doubled, whoever comes, goes or lags."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.hosted_site import TOKEN, make_site
from tests.live_server import GrowingRun, RunningServer, running
from tests.waiting import wait_until

from windlass.db.runs import remove_run
from windlass.db.server_database import ServerDatabase
from windlass.model.status import Result
from windlass.server.figures import WATCHERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def site(tmp_path: Path, database_address: str) -> Iterator[Site]:
    made = make_site(tmp_path, ServerDatabase(database_address))
    yield made
    made.store.close()


@pytest.fixture
def server(site: Site) -> Iterator[RunningServer]:
    with running(site) as made:
        yield made


class Stream:
    """One event stream, read by hand: each message is a dict of its fields."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()
        self.comments: list[str] = []

    def read(self) -> dict[str, Any] | None:
        """The next message; None at the end of the stream."""
        fields: dict[str, Any] = {}
        for line in self._lines:
            if line.startswith(":"):
                self.comments.append(line[1:].strip())
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                return {**fields, "data": json.loads(fields["data"])}
            else:
                fields = {}
        return None

    def read_all(self) -> list[dict[str, Any]]:
        found = []
        while (message := self.read()) is not None:
            found.append(message)
        return found


@contextmanager
def watch(server: RunningServer, path: str, **headers: str) -> Iterator[Stream]:
    with (
        httpx.Client(base_url=server.address, headers=HEADERS, timeout=60) as client,
        client.stream("GET", f"/api/v1/runs/1/{path}", headers=headers) as response,
    ):
        yield Stream(response)


def lines_of(messages: list[dict[str, Any]]) -> list[str]:
    return [line for it in messages if it.get("event") != "end" for line in it["data"]["lines"]]


@pytest.mark.parametrize("tells", [True, False], ids=["this process", "another process"])
def test_events_are_told_as_they_come(site: Site, server: RunningServer, *, tells: bool) -> None:
    """What was before comes first, then what is new, and last how the attempt has ended."""
    run = GrowingRun(site, tells=tells)
    run.say_lines(3)
    with watch(server, "events") as stream:
        first = [stream.read() for _ in range(3)]
        run.say_lines(2, first=3)
        second = [stream.read() for _ in range(2)]
        run.end(Result.FAILURE)
        last = stream.read_all()

    assert stream.response.headers["content-type"] == "text/event-stream"
    told = [*first, *second]
    assert [it and it["id"] for it in told] == ["0", "1", "2", "3", "4"]
    assert [it and it["data"]["message"] for it in told] == ["0", "1", "2", "3", "4"]
    assert last == [{"event": "end", "data": {"result": "failure"}}]


def test_a_stream_goes_on_behind_the_last_event(site: Site, server: RunningServer) -> None:
    """`after`, or what a browser says by itself when it comes again."""
    run = GrowingRun(site)
    run.say_lines(1000)
    run.end()

    with watch(server, "events?after=996") as stream:
        assert [it.get("id") for it in stream.read_all()] == ["997", "998", "999", None]
    with watch(server, "events?after=3", **{"Last-Event-ID": "998"}) as stream:
        assert [it.get("id") for it in stream.read_all()] == ["999", None]
    with watch(server, "events", **{"Last-Event-ID": "999"}) as stream:
        assert stream.response.status_code == 204


def test_a_log_is_told_as_it_grows(site: Site, server: RunningServer) -> None:
    """Lines come with their step and their numbers, also before there is any log."""
    run = GrowingRun(site)
    run.add_job()
    with watch(server, "jobs/1/log") as stream:
        run.print("one\ntwö\n".encode())
        first = stream.read()
        run.print(b"three\r\n", step="2")
        second = stream.read()
        run.end_job()
        last = stream.read_all()

    assert first is not None
    assert second is not None
    assert (first["id"], first["data"]["lines"]) == ("1", ["one", "twö"])
    assert (second["id"], second["data"]["first"], second["data"]["step"]) == ("2", 2, "2")
    assert second["data"]["lines"] == ["three\r"]
    assert last == [{"event": "end", "data": {"lines": 3}}]


def test_a_log_is_resumed_within_a_block(site: Site, server: RunningServer) -> None:
    """Nothing that was received comes again, though it was written at once with what was not."""
    run = GrowingRun(site)
    run.add_job()
    run.print(b"".join(b"%d\n" % number for number in range(100)))
    run.end_job()

    with watch(server, "jobs/1/log?after=97") as stream:
        assert lines_of(stream.read_all()) == ["98", "99"]
    with watch(server, "jobs/1/log?after=99") as stream:
        assert stream.read_all() == [{"event": "end", "data": {"lines": 100}}]


def test_many_watchers_lose_nothing(site: Site, server: RunningServer) -> None:
    """Whoever comes at whatever moment gets every line once, in order; also the slow ones."""
    run = GrowingRun(site)
    run.add_job()
    expected = [f"{number} {'x' * 90}" for number in range(20_000)]
    found: list[list[str]] = []

    def follow(slow: bool) -> None:
        with watch(server, "jobs/1/log") as stream:
            mine, pause = [], threading.Event()
            while (message := stream.read()) is not None:
                mine += lines_of([message])
                pause.wait(0.02 if slow else 0)
            found.append(mine)

    threads = [threading.Thread(target=follow, args=(number % 4 == 0,)) for number in range(12)]
    for number, thread in enumerate(threads):
        for start in range(number * 1000, (number + 1) * 1000, 250):
            run.print("".join(f"{line}\n" for line in expected[start : start + 250]).encode())
        thread.start()
    run.print("".join(f"{line}\n" for line in expected[12_000:]).encode())
    run.end_job()
    for thread in threads:
        thread.join(60)

    assert len(found) == 12
    assert all(lines == expected for lines in found)


def test_whoever_goes_is_forgotten(site: Site, server: RunningServer) -> None:
    """A client that hangs up leaves nothing behind."""
    GrowingRun(site)
    watchers = WATCHERS.labels("events")
    before = watchers._value.get()
    with watch(server, "events"):
        assert wait_until(lambda: watchers._value.get() == before + 1)
    assert wait_until(lambda: watchers._value.get() == before)


def test_a_server_that_ends_says_goodbye(site: Site) -> None:
    """Streams end properly, without an end of the run, and the server does not wait for them."""
    run = GrowingRun(site)
    run.say_lines(1)
    with running(site) as server, watch(server, "events") as stream:
        assert stream.read() is not None
        server.ask_to_end()
        assert stream.read_all() == []
        assert stream.comments[-1] == "the server is about to end"
    assert server.left == 1


def test_a_run_that_is_removed(site: Site, server: RunningServer) -> None:
    """Whoever watches it is told, and does not wait for ever."""
    run = GrowingRun(site)
    run.say_lines(1)
    with watch(server, "events") as stream:
        assert stream.read() is not None
        with site.store.writing() as connection:
            remove_run(connection, "1")
        (last,) = stream.read_all()

    assert (last["event"], last["data"]["code"]) == ("problem", "missing")


def test_a_job_that_is_queued_again(site: Site, server: RunningServer) -> None:
    """What it printed before its runner was lost is the log of a number that has ended."""
    run = GrowingRun(site)
    run.add_job()
    run.print(b"one\n")
    with watch(server, "jobs/1/log") as stream:
        assert stream.read() is not None
        with site.store.writing() as connection:
            connection.execute("UPDATE jobs SET number = 2")
        assert stream.read_all() == [{"event": "end", "data": {"lines": 1}}]
    with watch(server, "jobs/1/log") as stream:
        assert lines_of(stream.read_all()) == ["one"]


def test_a_database_that_goes_away(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Streams wait for it, and go on where they were; so do those that still read what was."""
    postgres = request.getfixturevalue("postgres")
    site = make_site(tmp_path, ServerDatabase(postgres.make_database()))
    run = GrowingRun(site)
    run.add_job()
    run.print(b"one\n")
    with (
        running(site) as server,
        watch(server, "events") as events,
        watch(server, "jobs/1/log") as log,
    ):
        run.say_lines(2)
        assert [events.read() is not None for _ in range(2)] == [True, True]
        assert lines_of([log.read() or {}]) == ["one"]
        postgres.stop("immediate")
        run.print(b"two\n")
        site.changes.tell("run/1/1")
        postgres.resume()
        run.say_lines(1, first=2)
        assert (events.read() or {})["id"] == "2"
        assert lines_of([log.read() or {}]) == ["two"]
    site.store.close()
