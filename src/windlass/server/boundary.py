"""What stands between the network and the routes: the host asked for, the size, the last resort."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from windlass.server.problems import answer_unexpected, problem_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
DEFAULT_LIMIT_BYTES: Final = 1 << 20
_TOO_LARGE: Final = 413
_log = logging.getLogger(__name__)


class LastResort:
    """Answers where nobody foresaw an exception; the log has it, the answer has nothing of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except ClientDisconnect:
            # Nobody is there to be answered; a machine that dies in mid-sentence is no fault.
            return
        except Exception:
            # What has begun can only be broken off, which the server does.
            if begun or scope["type"] != "http":
                raise
            _log.exception("%s %s failed", scope["method"], scope["path"])
            await answer_unexpected()(scope, receive, send)


class KnownHosts:
    """Refuses what is asked of another host than this one.

    A page in a browser may have its own name resolve to 127.0.0.1 and then talk to whoever listens
    there: the name it asks for gives it away. See https://owasp.org/www-community/attacks/DNS_Rebinding
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts) | LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan" or _read_host(scope) in self._hosts:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            detail = "this server does not answer for the host that was asked for"
            answer = problem_of(
                "misdirected", detail, hint="use the address that `windlass up` printed"
            )
            await answer(scope, receive, send)


class BodyLimits:
    """Refuses bodies that are larger than an address takes, before they are in memory.

    `limits` are bytes by the beginning of a path; None is no limit, of who writes a body away as it
    comes.
    """

    def __init__(self, app: ASGIApp, limits: Mapping[str, int | None]) -> None:
        self._app = app
        self._limits = dict(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count what comes of its body."""
        limit = self._find(scope["path"]) if scope["type"] == "http" else None
        if limit is None:
            await self._app(scope, receive, send)
            return
        if _read_length(scope) > limit:
            detail = f"the body has more than {limit} bytes"
            await problem_of("too-large", detail)(scope, receive, send)
            return
        count = 0

        async def receive_some() -> Message:
            nonlocal count
            message = await receive()
            count += len(message.get("body", b""))
            if count > limit:
                raise HTTPException(_TOO_LARGE)
            return message

        await self._app(scope, receive_some, send)

    def _find(self, path: str) -> int | None:
        for beginning, limit in self._limits.items():
            if path.startswith(beginning):
                return limit
        return DEFAULT_LIMIT_BYTES


def _read_host(scope: Scope) -> str:
    """Return the host of a request in lower case, without its port."""
    host = _read_header(scope, b"host").lower()
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _read_length(scope: Scope) -> int:
    text = _read_header(scope, b"content-length")
    return int(text) if text.isascii() and text.isdigit() else 0


def _read_header(scope: Scope, name: bytes) -> str:
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if found else ""
