"""What the server makes of the bytes on a connection (RFC 9112)."""

from __future__ import annotations

import socket
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

import pytest
from tests.waiting import wait_until

from windlass.services.messages import Request, Response, Stream
from windlass.services.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


def echo(request: Request) -> Response:
    """Answer with what came."""
    return Response.json(
        {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "field": request.headers.get("x-field"),
            "body": request.read().decode(),
        }
    )


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.routes("/", echo, needs_token=False)
    server.routes("/none", lambda _: Response(204), needs_token=False)
    parts = [b"a" * 100_000, b"b"]
    server.routes("/long", lambda _: Response(200, {}, Stream(100_001, parts)), needs_token=False)
    yield server
    server.close()


@contextmanager
def connected(server: Server) -> Iterator[tuple[socket.socket, BinaryIO]]:
    address = urlsplit(server.listen())
    with (
        socket.create_connection((address.hostname, address.port), timeout=20) as connection,
        connection.makefile("rb") as answers,
    ):
        yield connection, cast("BinaryIO", answers)


def talk(server: Server, text: bytes) -> bytes:
    """Send bytes, then nothing more; return all that comes back until the end."""
    with connected(server) as (connection, answers):
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return answers.read()


def test_one_after_the_other(server: Server) -> None:
    """Requests that come at once on one connection are answered in their order."""
    requests = b"".join(
        b"POST /%d HTTP/1.1\r\nContent-Length: 1\r\n\r\n%d" % (n, n) for n in range(3)
    )

    answers = talk(server, requests)

    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 3
    places = [answers.index(b'"path": "/%d"' % number) for number in range(3)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_how_long_a_connection_stays(server: Server, head: bytes, *, stays: bool) -> None:
    """A connection stays for the next request unless its client wants it otherwise."""
    assert talk(server, head * 2).count(b"HTTP/1.1 200") == (2 if stays else 1)


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / x HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno field\r\n\r\n",
        b"GET / HTTP/1.1\r\nName : value\r\n\r\n",
        b"GET / HTTP/1.1\r\nName: value\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nName: value\rOther: value\r\n\r\n",
        b"GET / HTTP/1.1\r\nName: va\0lue\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET //[ HTTP/1.1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    ],
    ids=[
        "nonsense",
        "HTTP/0.9",
        "HTTP/2",
        "a blank in the path",
        "no field",
        "a blank before the colon",
        "a folded field",
        "half a line's end",
        "NUL",
        "many fields",
        "a long line",
        "no address",
        "a length of many digits",
    ],
)
def test_heads_that_are_none(server: Server, head: bytes) -> None:
    """What is no head is refused, and nothing that follows it is taken for a request."""
    answers = talk(server, head + b"GET /smuggled HTTP/1.1\r\n\r\n")

    assert answers.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Connection: close" in answers
    assert b"smuggled" not in answers


def test_fields_and_queries(server: Server) -> None:
    """Names of fields have no case, paths and queries are decoded, a whole address is one."""
    head = (
        b"GET http://x/a%20b/%C3%BC?q=1&q=%2B&e= HTTP/1.1\r\nX-FIELD:  v w \t\r\nx-field: 2\r\n\r\n"
    )

    answer = talk(server, head)

    assert b'"path": "/a b/\\u00fc"' in answer
    assert b'"query": {"q": "+", "e": ""}' in answer
    assert b'"field": "v w, 2"' in answer


def test_a_client_that_waits_to_be_asked(server: Server) -> None:
    """A client that wants to know whether its content is welcome is told to go on."""
    with connected(server) as (connection, answers):
        head = b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n"
        connection.sendall(head + b"Connection: close\r\n\r\n")
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        connection.sendall(b"abc")
        assert b'"body": "abc"' in answers.read()


def test_heads_alone(server: Server) -> None:
    """HEAD gets what GET would, without its content; so does an answer that has none."""
    answers = talk(server, b"HEAD /long HTTP/1.1\r\n\r\nGET /none HTTP/1.1\r\n\r\n")

    assert answers == (
        b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    )


def test_chunks(server: Server) -> None:
    """A content in chunks is taken with its extensions and trailers; a wrong one is refused."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"

    taken = talk(server, head + b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n")
    refused = [talk(server, head + it) for it in (b"z\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"-1\r\n")]

    assert b'"body": "abc0123456789"' in taken
    assert [it[:12] for it in refused] == [b"HTTP/1.1 400"] * 3


def test_a_client_that_goes_away(server: Server) -> None:
    """Clients that end in the middle, or do not listen, leave the server answering others."""
    assert talk(server, b"GET / HTTP/1.1\r\nHost") == b""
    assert talk(server, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc") == b""
    with connected(server) as (connection, _):
        connection.sendall(b"GET /long HTTP/1.1\r\n\r\n" * 50)

    assert talk(server, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 OK")


def test_clients_that_never_come_to_the_point(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that send nothing, or a head a byte at a time, make room for those that ask."""
    monkeypatch.setattr("windlass.services.listening.MOST_CONNECTIONS", 8)
    with ExitStack() as opened:
        slow = [opened.enter_context(connected(server)) for _ in range(40)]
        for connection, _ in slow[::2]:
            with suppress(OSError):
                connection.sendall(b"GET / HTTP/1.1\r\nHo")

        answers = [talk(server, b"GET / HTTP/1.1\r\n\r\n") for _ in range(20)]
        ended = sum(it.read() == b"" for _, it in slow[:32])

    assert all(it.startswith(b"HTTP/1.1 200 OK") for it in answers)
    assert ended == 32


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /long HTTP/1.1\r\n\r\n" * 400,
    ],
    ids=["half a body", "half a chunk", "answers that nobody reads"],
)
def test_clients_that_stop_halfway(
    server: Server, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """Connections with half a body, or an untaken answer, make room for those that ask."""
    monkeypatch.setattr("windlass.services.listening.MOST_CONNECTIONS", 8)
    with ExitStack() as opened:
        for _ in range(20):
            connection, _ = opened.enter_context(connected(server))
            connection.sendall(sent)
        (listener,) = server._listeners._listeners.values()
        guests = listener._guests._guests

        answers = [talk(server, b"GET / HTTP/1.1\r\n\r\n") for _ in range(20)]

        assert wait_until(lambda: len(guests) <= 8)
    assert all(it.startswith(b"HTTP/1.1 200 OK") for it in answers)
