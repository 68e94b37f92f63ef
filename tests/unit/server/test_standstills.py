"""Whoever asks a server whose database stands still hears that it does, and nobody else does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import PlainTextResponse

from windlass.server import standstills
from windlass.server.problems import MEDIA_TYPE
from windlass.server.standstills import Standstills

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Application:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.may_answer.wait()
        await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standstills, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(standstills, "LOOK_SECONDS", 0.01)


async def ask(path: str, looks: list[bool], *, answers_at: int) -> list[Any]:
    """Ask for something; the application answers after so many looks at the database."""
    told: list[Any] = []
    app, count = Application(), 0

    async def stands_still() -> bool:
        nonlocal count
        count += 1
        if count >= answers_at:
            app.may_answer.set()
        return looks[min(count, len(looks)) - 1]

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)
        if message["type"] == "http.response.body":
            app.may_answer.set()

    if answers_at == 0:
        app.may_answer.set()
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    await asyncio.wait_for(Standstills(app, stands_still)(scope, receive, send), 20)
    return told


def read(told: list[Any]) -> tuple[int, bytes]:
    """The status and the content of an answer, which has to be one."""
    start, body = told
    return start["status"], body["body"]


def test_a_database_that_stands_still() -> None:
    """It is a problem, once; what the application says later is heard by nobody."""
    told = asyncio.run(ask("/api/v1/runs", [True], answers_at=99))
    status, content = read(told)
    headers = dict(told[0]["headers"])
    assert status == 503
    assert headers[b"content-type"] == MEDIA_TYPE.encode()
    assert headers[b"retry-after"] == b"5"
    assert b"stands still" in content


def test_a_request_that_takes_its_time() -> None:
    """As long as the database answers, so will the application."""
    told = asyncio.run(ask("/api/v1/runs", [False], answers_at=5))
    assert read(told) == (200, b"done")


def test_a_database_that_stops_later() -> None:
    """It is looked at again and again."""
    told = asyncio.run(ask("/hooks/github/octo/boat", [False, False, True], answers_at=99))
    assert read(told)[0] == 503


@pytest.mark.parametrize("path", ["/runner/v1/poll", "/health", "/git/1.git/info/refs"])
def test_what_may_take_long(path: str) -> None:
    """Polls are held, and repositories are large: nobody looks."""
    assert read(asyncio.run(ask(path, [True], answers_at=0))) == (200, b"done")


def test_an_answer_in_time_costs_no_look() -> None:
    """The database is asked nothing."""

    async def look() -> bool:
        raise AssertionError

    async def receive() -> Any:
        raise AssertionError

    async def send(_message: Any) -> None:
        await asyncio.sleep(0)

    scope = {"type": "http", "method": "GET", "path": "/api/v1/runs", "headers": []}
    asyncio.run(Standstills(PlainTextResponse("done"), look)(scope, receive, send))
