"""One line of log for each request, with nothing in it that is nobody's business."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect
from tests.hosted_site import ADDRESS, ask, make_site

from windlass.logs import FIELDS
from windlass.observe.traces import format_trace_id
from windlass.server.figures import LOG_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from windlass.operations.hosted.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_site(tmp_path)
    yield made
    made.store.close()


def fail(_: Request) -> Response:
    raise ZeroDivisionError


async def take(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


ROUTES = [
    Route("/boats/{run}/{attempt}", take, methods=["POST"]),
    Route("/boats/{run}", take, methods=["POST"]),
    Route("/broken", fail),
]


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    name = "windlass.server.request_lines"
    return [getattr(it, FIELDS) for it in caplog.records if it.name == name]


def test_a_request(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Method, route, status, time and sizes; neither the query, nor the body, nor a header."""
    caplog.set_level(logging.INFO)
    secret = "wlt_0123456789abcdef"
    answer = ask(site, routes=ROUTES).post(
        f"/boats/7?token={secret}", content=secret.encode(), headers={"X-Secret": secret}
    )

    (line,) = lines(caplog)
    assert line.pop("ms") > 0
    assert line == {
        "method": "POST",
        "route": "/boats/{run}",
        "status": 200,
        "received": len(secret),
        "sent": len(answer.content),
        "run": "7",
    }
    ours = [it for it in caplog.records if it.name.startswith("windlass")]
    assert secret not in "".join(it.getMessage() + str(it.__dict__) for it in ours)


def test_a_fault(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """It has its line like any other, and the same id as the answer."""
    caplog.set_level(logging.INFO)
    answer = ask(site, routes=ROUTES, raise_server_exceptions=False).get("/broken")

    (line,) = lines(caplog)
    assert (line["status"], line["route"]) == (500, "/broken")
    assert len(answer.headers["x-request-id"]) == 16


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [("0123abcd-4567", True), ("short", False), ("line\tbreak-0000", False), ("x" * 65, False)],
)
def test_the_id_of_a_request(site: Site, given: str, is_taken: bool) -> None:
    """A proxy may have given it one already; anything else is not repeated."""
    answer = ask(site).get("/health", headers={"X-Request-Id": given})

    assert (answer.headers["x-request-id"] == given) is is_taken


def test_methods_nobody_has(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """They have one name together."""
    caplog.set_level(logging.INFO)
    ask(site).request("BREW", "/health")

    assert lines(caplog)[0]["method"] == "other"


def test_the_trace_of_an_attempt(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever sees a line finds the trace; an address that is none is not believed."""
    caplog.set_level(logging.INFO)
    client = ask(site, routes=ROUTES)
    client.post("/boats/7/2")
    client.post("/boats/7/x")
    client.post(f"/boats/{'9' * 5000}/{'9' * 5000}")
    first, second, third = lines(caplog)

    assert (first["run"], first["attempt"], first["trace"]) == ("7", 2, format_trace_id("7", 2))
    assert "trace" not in second
    assert len(third["run"]) == len(str(third["attempt"])) == 40


WS = ADDRESS.replace("http:", "ws:")


async def converse(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.mark.parametrize(("path", "status"), [("/talk", 101), ("/api/v1/live", 403)])
def test_a_websocket(site: Site, caplog: pytest.LogCaptureFixture, path: str, status: int) -> None:
    """It has a line too, when it has ended."""
    caplog.set_level(logging.INFO)
    client = ask(site, routes=[WebSocketRoute("/talk", converse)], token=None)
    with suppress(WebSocketDisconnect), client.websocket_connect(f"{WS}{path}") as socket:
        socket.receive()

    (line,) = lines(caplog)
    assert (line["method"], line["route"], line["status"]) == ("GET", path, status)


def test_the_bytes_of_logs(site: Site) -> None:
    """What jobs print is counted; what is said about it beside is not."""
    routes = [Route("/jobs/log/{name}", take, methods=["PUT"])]
    before = LOG_BYTES._value.get()
    for name, size in (("log", 100), ("log.index", 10), ("log.steps", 1)):
        ask(site, routes=routes).put(f"/jobs/log/{name}", content=b"x" * size)

    assert LOG_BYTES._value.get() == before + 100
