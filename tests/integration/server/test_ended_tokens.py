"""What is told for long ends when the token of whoever hears it counts no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from tests.hosted_site import TOKEN, make_site
from tests.live_server import GrowingRun, running
from tests.websockets import connect

from windlass.engine.server.changes import TOKENS
from windlass.errors import PlatformError
from windlass.operations.hosted.callers import Caller
from windlass.server import guard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live_server import RunningServer

    from windlass.operations.hosted.site import Site

BEARER = f"Bearer {TOKEN}"


class Tokens:
    """Says what there is to be said of the token of these tests."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.answer: Caller | Exception | None = Caller("1", "tests")

    def check(self, _token: str) -> Caller | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def change(self, answer: Caller | Exception | None) -> None:
        self.answer = answer
        self._site.changes.tell(TOKENS)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_site(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def tokens(site: Site, monkeypatch: pytest.MonkeyPatch) -> Tokens:
    made = Tokens(site)
    monkeypatch.setattr("tests.live_server.check_token", made.check)
    monkeypatch.setattr(guard, "AGAIN_SECONDS", 0.0)
    return made


@pytest.fixture
def server(site: Site, tokens: Tokens) -> Iterator[RunningServer]:
    assert tokens
    with running(site) as made:
        yield made


@pytest.mark.requirement("P04")
def test_an_event_stream_ends(site: Site, server: RunningServer, tokens: Tokens) -> None:
    """Nothing is told that came after; asked again, the server refuses."""
    run = GrowingRun(site)
    run.say_lines(1)
    headers = {"Authorization": BEARER}
    address = f"{server.address}/api/v1/runs/1/events"
    with httpx.stream("GET", address, headers=headers, timeout=60) as answer:
        lines = answer.iter_lines()
        assert next(it for it in lines if it.startswith("id:")) == "id: 0"
        # A database that is away does not end it.
        tokens.change(PlatformError("away"))
        run.say_lines(1, first=1)
        assert next(it for it in lines if it.startswith("id:")) == "id: 1"
        tokens.change(None)
        run.say_lines(1, first=2)
        assert [it for it in lines if it.startswith("id:")] == []

    assert httpx.get(address, headers=headers, timeout=60).status_code == 401


@pytest.mark.requirement("P04")
def test_a_websocket_is_closed(site: Site, server: RunningServer, tokens: Tokens) -> None:
    """With the code of a policy that was violated, before anything more is told."""
    run = GrowingRun(site)
    with connect(server.port, "/api/v1/live", Authorization=BEARER) as client:
        client.send({"watch": {"run": "1"}})
        assert client.read()["watching"]
        tokens.change(None)
        run.say_lines(1)
        assert client.read() is None
        assert client.close_code == 1008
