"""The application of a server: who comes in, and what is answered where something is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.hosted_site import ADDRESS, ask

from windlass import errors
from windlass.server.problems import KINDS

if TYPE_CHECKING:
    from starlette.requests import Request

    from windlass.operations.hosted.site import Site


def say_who(request: Request) -> Response:
    return JSONResponse({"caller": request.scope["caller"].name})


async def count_bytes(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


ERRORS = (
    (errors.UsageError("what?"), 400, "usage"),
    (errors.InputError("unreadable", hint="look"), 422, "input"),
    (errors.MissingError("gone"), 404, "missing"),
    (errors.ConflictError("taken"), 409, "conflict"),
    (errors.RefusedError("not yours"), 403, "refused"),
    (errors.InvalidError("too old"), 422, "invalid"),
)


@pytest.mark.parametrize(("error", "status", "code"), ERRORS, ids=[it[2] for it in ERRORS])
def test_an_error_of_ours_is_a_problem(
    site: Site, error: errors.WindlassError, status: int, code: str
) -> None:
    """What a user did wrong is said in a problem document, of a kind that does not change."""

    def fail(_: Request) -> Response:
        raise error

    answer = ask(site, routes=[Route("/x", fail)]).get("/x")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    expected = {
        "type": f"urn:windlass:problem:{code}",
        "title": KINDS[code].title,
        "status": status,
        "detail": error.message,
        "code": code,
    }
    assert answer.json() == expected | ({"hint": error.hint} if error.hint else {})


@pytest.mark.parametrize(
    ("error", "status"),
    [(errors.PlatformError("/secret/place: disk full"), 503), (ZeroDivisionError("secret"), 500)],
    ids=["platform", "unforeseen"],
)
def test_nothing_of_a_fault_leaves_the_server(
    site: Site, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    """What is wrong with the server itself stands in its log, and not in an answer."""

    def fail(_: Request) -> Response:
        raise error

    answer = ask(site, routes=[Route("/x", fail)]).get("/x")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "secret" in caplog.text


def test_a_token_opens_the_door(site: Site) -> None:
    """A handler behind the guard knows who asks."""
    answer = ask(site, guarded=[Route("/who", say_who)]).get("/who")

    assert answer.json() == {"caller": "tests"}


@pytest.mark.parametrize(
    "header",
    [None, "Bearer", "Bearer wrong", "Basic wlt_of_the_tests", "wlt_of_the_tests", "Bearer \xff"],
)
def test_without_a_valid_token_the_door_stays_shut(site: Site, header: str | None) -> None:
    """No token, a wrong one and another scheme are refused alike, with a challenge."""
    client = ask(site, guarded=[Route("/who", say_who)], token=None)
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}

    answer = client.get("/who", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="windlass"')


def test_a_web_socket_needs_a_token_too(site: Site) -> None:
    """Without a token a web socket is not accepted."""

    async def greet(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    client = ask(site, guarded=[WebSocketRoute("/s", greet)], token=None)

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/s"):
        pass


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (ADDRESS, 200),
        ("http://localhost:8484", 200),
        ("http://[::1]:8484", 200),
        ("http://LOCALHOST", 200),
        ("http://rebound.example:8484", 421),
        ("http://127.0.0.1.example", 421),
    ],
)
def test_another_host_is_not_answered_for(site: Site, address: str, status: int) -> None:
    """A page whose name resolves to this machine cannot talk to the server."""
    client = ask(site, guarded=[Route("/who", say_who)], address=address)

    assert client.get("/who").status_code == status


@pytest.mark.parametrize("in_pieces", [False, True], ids=["told", "in pieces"])
def test_a_body_has_a_limit(site: Site, in_pieces: bool) -> None:
    """Too large a body is refused, whether its length is told or not."""
    client = ask(site, routes=[Route("/x", count_bytes, methods=["POST"])])
    data = b"x" * (2 << 20)

    answer = client.post(
        "/x", content=iter([data[: 1 << 20], data[1 << 20 :]]) if in_pieces else data
    )

    assert answer.status_code == 413
    assert answer.json()["code"] == "too-large"
    assert client.post("/x", content=b"x" * (1 << 20)).json() == {"bytes": 1 << 20}


def test_an_address_that_is_not_there_is_a_problem(site: Site) -> None:
    """The framework's own answers are problem documents as well."""
    client = ask(site, routes=[Route("/x", count_bytes, methods=["POST"])])

    missing, method = client.get("/nowhere"), client.get("/x")

    assert (missing.status_code, missing.json()["code"]) == (404, "missing")
    assert (method.status_code, method.json()["code"]) == (405, "method")
    assert method.headers["allow"] == "POST"
    assert json.loads(method.text)["type"] == "urn:windlass:problem:method"
