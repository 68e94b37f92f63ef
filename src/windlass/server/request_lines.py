"""One line of log for each request, its id, and its place among the figures.

A line names the route's template and never the query string, which may hold what is nobody's
business; of an address only the run is told.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from windlass.logs import tell, telling_of
from windlass.observe.traces import format_trace_id
from windlass.server.figures import LOG_BYTES, REQUEST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = b"x-request-id"
UNMATCHED: Final = "unmatched"
LOG_ROUTE: Final = "/log/{name}"
"""Where runners send the files of a job's log; what it printed is the one called `log`."""

MOST_DIGITS: Final = 40
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)
_STREAM: Final = b"text/event-stream"
_BROKEN_OFF: Final = 499
"""What no answer was sent for, as nginx counts it: whoever asked did not wait."""

_log = logging.getLogger(__name__)


class RequestLines:
    """See the module. Stands before everything else, so that it sees every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and tell of it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, receive, send)
        with telling_of(request=request.id):
            try:
                await self._app(scope, request.receive, request.send)
            finally:
                request.tell()


class _Request:
    """One request on its way."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began = time.perf_counter()
        self._seconds: float | None = None
        self._status = 0
        self._received = self._sent = 0
        self.id = _read_id(scope) or secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = self.id

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self._status = message["status"]
            headers = list(message.get("headers", ()))
            if any(name.lower() == b"content-type" and _STREAM in it for name, it in headers):
                self._seconds = time.perf_counter() - self._began
            message = {**message, "headers": [*headers, (HEADER, self.id.encode())]}
        elif message["type"] == "websocket.accept":
            self._status = 101
            self._seconds = time.perf_counter() - self._began
        elif message["type"] == "websocket.close":
            self._status = self._status or 403
        self._sent += len(message.get("body", b""))
        await self._send(message)

    def tell(self) -> None:
        """Log the line and count the request."""
        lasted = time.perf_counter() - self._began
        route = getattr(self._scope.get("route"), "path", UNMATCHED)
        method = self._scope.get("method", "GET")
        status = self._status or _BROKEN_OFF
        seconds = lasted if self._seconds is None else self._seconds
        known = method if method in _METHODS else "other"
        REQUEST_SECONDS.labels(known, route, str(status)).observe(seconds)
        if known == "PUT" and route.endswith(LOG_ROUTE) and _read_name(self._scope) == "log":
            LOG_BYTES.inc(self._received)
        fields: dict[str, Any] = {
            "method": known,
            "route": route,
            "status": status,
            "ms": round(lasted * 1000, 2),
            "received": self._received,
            "sent": self._sent,
        }
        tell(_log, "request", **fields, **_name_run(self._scope.get("path_params", {})))


def _name_run(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return which run a request is about, if it says, and the trace of its attempt."""
    run, attempt = params.get("run"), str(params.get("attempt", ""))
    if run is None:
        return {}
    # An address may hold anything; what is no run's id is not repeated at length.
    named = {"run": str(run)[:MOST_DIGITS]}
    if attempt.isascii() and attempt.isdecimal():
        attempt = attempt[:MOST_DIGITS]
        return {**named, "attempt": int(attempt), "trace": format_trace_id(run, int(attempt))}
    return named


def _read_name(scope: Scope) -> str:
    return str(scope.get("path_params", {}).get("name", ""))


def _read_id(scope: Scope) -> str:
    """Return the id that whoever asks has given its request, if it is one."""
    for name, value in scope["headers"]:
        if name == HEADER:
            text = str(value.decode("latin-1"))
            return text if _ID.fullmatch(text) else ""
    return ""
