"""A WebSocket that tells of several things, from where the client was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.hosted_site import TOKEN, make_site
from tests.live_server import GrowingRun, RunningServer, running
from tests.waiting import wait_until
from tests.websockets import connect

from windlass.server.figures import WATCHERS
from windlass.server.live.sources import EventSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.websockets import WebSocketClient

    from windlass.operations.hosted.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = make_site(tmp_path_factory.mktemp("site"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[RunningServer]:
    with running(site) as made:
        yield made


def talk(server: RunningServer) -> AbstractContextManager[WebSocketClient]:
    return connect(server.port, "/api/v1/live", Authorization=f"Bearer {TOKEN}")


@pytest.mark.requirement("P04")
@pytest.mark.requirement("P04")
def test_events_and_a_log_on_one_connection(site: Site, server: RunningServer) -> None:
    """Each message says what it is about; what is new comes as it comes."""
    run = GrowingRun(site, "1")
    run.add_job()
    run.say_lines(2)
    event, log = {"run": "1", "attempt": 1}, {"run": "1", "attempt": 1, "job": 1}
    with talk(server) as client:
        client.send({"watch": {"run": "1"}})
        assert client.read() == {**event, "watching": True}
        assert [client.read()["number"] for _ in range(2)] == [0, 1]
        client.send({"watch": {"run": "1", "job": 1}})
        assert client.read() == {**log, "watching": True}
        run.print(b"one\ntwo\n")
        told = client.read()
        assert (told["number"], told["log"]["lines"]) == (1, ["one", "two"])
        run.say_lines(1, first=2)
        assert client.read()["event"]["message"] == "2"
        run.end_job()
        assert client.read() == {**log, "end": {"lines": 2}}
        run.end()
        assert client.read() == {**event, "end": {"result": "success"}}


@pytest.mark.requirement("P04")
def test_a_client_that_comes_back(site: Site, server: RunningServer) -> None:
    """It is told what it does not have."""
    GrowingRun(site, "2").say_lines(600)
    with talk(server) as client:
        client.send({"watch": {"run": "2", "after": 597}})
        assert client.read()["watching"]
        assert [client.read()["number"] for _ in range(2)] == [598, 599]


def test_what_is_not_watched_any_more(site: Site, server: RunningServer) -> None:
    """Nothing more is told of it, and it may be watched again."""
    run = GrowingRun(site, "3")
    watchers = WATCHERS.labels("events")
    # That others have gone is noticed a little later.
    assert wait_until(lambda: watchers._value.get() == 0)
    with talk(server) as client:
        client.send({"watch": {"run": "3"}})
        assert client.read()["watching"]
        client.send({"watch": {"run": "3"}})
        assert client.read()["problem"]["detail"] == "it is watched already"
        client.send({"unwatch": {"run": "3"}})
        assert wait_until(lambda: watchers._value.get() == 0)
        run.say_lines(1)
        client.send({"watch": {"run": "3", "after": 0}})
        assert client.read()["watching"]


WRONG = (
    ("{", "the message is not JSON"),
    ("[" * 100_00, "the message is not JSON"),
    ("[]", "the message is not an object with one member"),
    ('{"watch": 1}', "'watch' or 'unwatch' is expected, of an object"),
    ('{"run": {}}', "'watch' or 'unwatch' is expected, of an object"),
    ('{"watch": {"run": 1}}', "'run' is not a text"),
    ('{"watch": {"run": "1", "job": true}}', "'job' is not a whole number from 1 on"),
    ('{"watch": {"run": "1", "after": -2}}', "'after' is not a whole number from -1 on"),
    ('{"watch": {"run": "1", "nothing": 1}}', "nothing is called 'nothing' here"),
    ('{"watch": {"run": "no"}}', "there is no run 'no'"),
    ('{"watch": {"run": "\\ud800"}}', "there is no run '?'"),
    ('{"watch": {"run": "1", "\\ud800": 1}}', "nothing is called '?' here"),
    ('{"watch": {"run": "../.."}}', "there is no run '../..'"),
)


def test_what_cannot_be_watched(server: RunningServer) -> None:
    """The client is told why, and may go on."""
    with talk(server) as client:
        for text, detail in WRONG:
            client.send(text)
            assert client.read()["problem"]["detail"] == detail


def test_a_fault_of_our_own(
    site: Site, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever for what cannot come: whoever watches is told."""
    GrowingRun(site, "9")
    monkeypatch.setattr(EventSource, "count", lambda _: 1 // 0)
    with talk(server) as client:
        client.send({"watch": {"run": "9"}})
        assert client.read() == {"run": "9", "attempt": 1, "watching": True}
        assert client.read()["problem"]["code"] == "internal"


def test_a_message_that_is_too_long(server: RunningServer) -> None:
    """It closes the connection."""
    with talk(server) as client:
        client.send("x" * 100_000)
        assert client.read() is None
        assert client.close_code == 1009


def test_nobody_comes_in_without_a_token(server: RunningServer) -> None:
    """The connection is refused before anything is told."""
    with connect(server.port, "/api/v1/live") as client:
        assert client.status == 403


def test_a_server_that_ends_says_so(tmp_path: Path) -> None:
    """The client is told to come again, and the server does not wait for it."""
    site = make_site(tmp_path)
    GrowingRun(site, "1")
    with running(site) as server, talk(server) as client:
        client.send({"watch": {"run": "1"}})
        assert client.read()["watching"]
        server.ask_to_end()
        assert client.read() is None
        assert client.close_code == 1012
    site.store.close()
