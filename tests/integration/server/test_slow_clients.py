"""Clients that take their time, on purpose or not: each is let go, and nobody else waits."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.hosted_site import TOKEN, make_site
from tests.live_server import GrowingRun, RunningServer, running
from tests.waiting import wait_until
from tests.websockets import connect

from windlass.server import patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

    from windlass.operations.hosted.site import Site

SHORT = 2.0
"""The patience of the server here: less than clients need that are slow, and more than those do
that are not, on a machine that is busy."""

SLOW_SECONDS = 60
"""So long a slow client goes on if nobody ends it."""

SHOWN = f"Authorization: Bearer {TOKEN}"
POST = b"POST /take HTTP/1.1\r\nHost: localhost\r\n"


async def take(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


def give(_: Request) -> Response:
    return StreamingResponse(b"x" * 100_000 for _ in range(10_000))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(patience, "HEAD_SECONDS", SHORT)
    monkeypatch.setattr(patience, "PAUSE_SECONDS", SHORT)
    made = make_site(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def server(site: Site) -> Iterator[RunningServer]:
    with running(site, routes=[Route("/take", take, methods=["POST"]), Route("/give", give)]) as it:
        yield it


def open_connection(server: RunningServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), 30)


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has hung up; what it says before does not matter."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        return True
    return True


def trickle(connection: socket.socket, head: bytes, piece: bytes, seconds: float) -> float:
    """Send something again and again until the server hangs up; return after how long."""
    began = time.monotonic()
    try:
        connection.sendall(head)
        while time.monotonic() - began < seconds:
            connection.sendall(piece)
            connection.settimeout(0.05)
            try:
                if not connection.recv(1 << 16):
                    break
            except TimeoutError:
                continue
    except ConnectionError:
        pass
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b""),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n", b"X-a: b\r\n"),
        (POST + b"Content-Length: 100000\r\n\r\n", b"x"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["nothing", "head", "body", "chunks"],
)
def test_a_request_that_does_not_get_on(server: RunningServer, head: bytes, piece: bytes) -> None:
    """A byte now and then is not enough (slowloris); others are answered meanwhile."""
    with open_connection(server) as connection:
        assert trickle(connection, head, piece, SLOW_SECONDS) < SLOW_SECONDS
        assert httpx.get(f"{server.address}/health", timeout=60).status_code == 200


def test_a_second_request_that_does_not_get_on(server: RunningServer) -> None:
    """Patience ends for each request on a connection anew."""
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with open_connection(server) as connection:
        connection.sendall(request)
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
        begun = b"GET /health HTTP/1.1\r\n"
        assert trickle(connection, begun, b"X-a: b\r\n", SLOW_SECONDS) < SLOW_SECONDS


def test_a_pipelined_body_that_does_not_come(server: RunningServer) -> None:
    """What came with an earlier request is waited for no longer than anything else."""
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    stuck = b"POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"
    with open_connection(server) as connection:
        connection.sendall(request + stuck)
        assert is_closed(connection)


def test_many_slow_clients(server: RunningServer) -> None:
    """Two hundred of them keep nobody else from an answer, and leave nothing behind."""
    slow = [open_connection(server) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-a: ")
    assert httpx.get(f"{server.address}/health", timeout=60).status_code == 200
    assert wait_until(lambda: len(server.server.server_state.connections) == 0)
    for connection in slow:
        connection.close()


def test_a_body_that_gets_on(server: RunningServer) -> None:
    """As long as enough comes it may take longer than any pause."""
    head = b"POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n"
    with open_connection(server) as connection:
        connection.sendall(head)
        pause = threading.Event()
        for _ in range(20):
            pause.wait(SHORT / 10)
            connection.sendall(b"x" * 1000)
        answer = b""
        while b"bytes" not in answer and (piece := connection.recv(1 << 16)):
            answer += piece
        assert answer.endswith(b'{"bytes":20000}')


def test_an_answer_that_nobody_takes(server: RunningServer) -> None:
    """It is broken off, and what waited for the client is given up."""
    with open_connection(server) as connection:
        connection.sendall(b"GET /give HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert wait_until(lambda: len(server.server.server_state.tasks) == 1)
        assert wait_until(lambda: len(server.server.server_state.tasks) == 0)


def test_an_answer_that_is_taken_slowly(server: RunningServer) -> None:
    """As long as a client takes some of it, it may take as long as it wants."""
    pause = threading.Event()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(b"GET /give HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert wait_until(lambda: len(server.server.server_state.tasks) == 1)
        for _ in range(20):
            assert connection.recv(1 << 13)
            pause.wait(SHORT / 10)
        assert len(server.server.server_state.tasks) == 1


def test_a_watcher_that_takes_nothing(site: Site, server: RunningServer) -> None:
    """Neither a stream nor a WebSocket keeps what a stuck client does not take."""
    run = GrowingRun(site)
    run.add_job()
    head = f"GET /api/v1/runs/1/jobs/1/log HTTP/1.1\r\nHost: localhost\r\n{SHOWN}\r\n\r\n"
    with (
        open_connection(server) as connection,
        connect(server.port, "/api/v1/live", Authorization=f"Bearer {TOKEN}") as client,
    ):
        connection.sendall(head.encode())
        client.send({"watch": {"run": "1", "job": 1}})
        assert client.read()["watching"]
        for _ in range(200):
            run.print(b"x" * 99_999)
        assert wait_until(lambda: len(server.server.server_state.connections) == 0)


def test_an_end_that_does_not_wait_for_ever(site: Site) -> None:
    """What has not ended after the grace is broken off."""
    with (
        running(site, routes=[Route("/give", give)], grace=0.3) as server,
        open_connection(server) as connection,
    ):
        connection.sendall(b"GET /give HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert wait_until(lambda: len(server.server.server_state.tasks) == 1)
        server.end()
