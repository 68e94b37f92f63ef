"""Event streams: what is new of a run, or of a job's log, as it comes.

    id: 7
    data: {"event": "job-started", "time": 1.5, "job": "build", "name": "build", "place": ""}

    event: end
    data: {"result": "success"}

Where it is taken away while it is told, `event: problem` comes instead, with a problem document.
`Last-Event-ID`, or `after`, is the last number that was received: the stream goes on behind it. The
one of a browser asks again by itself whenever a stream ends; it is answered 204 when all is told.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from windlass.errors import InputError, UsageError
from windlass.server.figures import LIVE_BYTES, WATCHERS
from windlass.server.problems import answer_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from windlass.server.live.hub import Hub
    from windlass.server.live.sources import Frame, Source

MEDIA_TYPE: Final = "text/event-stream"
RETRY: Final = b"retry: 1000\n\n"
HEARTBEAT: Final = b": nothing new\n\n"
LEAVING: Final = b": the server is about to end\n\n"
MOST_DIGITS: Final = 15
_HEADERS: Final = [
    (b"content-type", MEDIA_TYPE.encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def read_position(request: Request) -> int:
    """Return from where on a request wants to be told.

    Raises:
        UsageError: that is no number.
    """
    name = "Last-Event-ID"
    text = request.headers.get(name)
    if text is None:
        name, text = "after", request.query_params.get("after")
    if text is None:
        return 0
    return read_number(name, text, least=-1) + 1


def read_attempt(request: Request) -> int | None:
    """Return the attempt that a request names.

    Raises:
        UsageError: that is no number.
    """
    text = request.query_params.get("attempt")
    return None if text is None else read_number("attempt", text, least=1)


def read_number(name: str, text: str, *, least: int) -> int:
    """Return a whole number.

    Raises:
        UsageError: it is none, or out of bounds.
    """
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS):
        raise UsageError(f"'{name}' is not a whole number: '{text[:40]}'")
    if int(text) < least:
        raise UsageError(f"'{name}' is {text}, and at least {least} is expected")
    return int(text)


class EventStream(Response):
    """Answers with what a source has from a position on, until it is over."""

    def __init__(self, hub: Hub, source: Source, position: int) -> None:
        super().__init__()
        self._hub = hub
        self._source = source
        self._position = position

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Tell until all is told or whoever asked has gone."""
        gone = asyncio.create_task(_wait_until_gone(receive))
        telling = asyncio.create_task(self._tell(send))
        try:
            await asyncio.wait({gone, telling}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                telling.result()
        finally:
            for task in (gone, telling):
                task.cancel()
            await asyncio.gather(gone, telling, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _send(send, RETRY)
        try:
            await self._watch(send)
        except InputError as error:
            problem = bytes(answer_error(None, error).body)
            await _send(send, b"event: problem\ndata: " + problem + b"\n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self, send: Send) -> None:
        with WATCHERS.labels(self._source.kind).track_inprogress():
            async with (
                self._hub.watching(self._source) as tail,
                contextlib.aclosing(tail.watch(self._position)) as frames,
            ):
                is_told = await self._tell_frames(send, frames)
        if not is_told:
            await _send(send, LEAVING)

    async def _tell_frames(self, send: Send, frames: AsyncIterator[Frame | None]) -> bool:
        """Send frames as they come; return whether that was all."""
        sent = LIVE_BYTES.labels(self._source.kind)
        async for frame in frames:
            data = _write(frame)
            sent.inc(len(data))
            await _send(send, data)
            if frame is not None and frame.outcome:
                return True
        return False


def _write(frame: Frame | None) -> bytes:
    if frame is None:
        return HEARTBEAT
    if frame.outcome:
        return f"event: end\ndata: {frame.outcome}\n\n".encode()
    return frame.stream


async def _send(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
