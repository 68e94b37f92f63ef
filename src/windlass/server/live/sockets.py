"""One WebSocket for all that somebody watches, with the same messages as event streams.

The client says what it wants, as often as it likes, and on a connection of any age:

    {"watch": {"run": "17", "attempt": 1, "after": 41}}     events; without `attempt` the last one's
    {"watch": {"run": "17", "attempt": 1, "job": 2}}        the log of a job
    {"unwatch": {"run": "17", "attempt": 1, "job": 2}}

and is answered, each time with the `run`, the `attempt` and, of a log, the `job`:

    {"watching": true}              from here on
    {"number": 42, "event": {...}}  an event, as of `windlass run --json`
    {"number": 9, "log": {...}}     lines; the last of them has this number
    {"end": {"result": "success"}}  all is told
    {"problem": {...}}              it cannot be watched: a problem document

Whoever comes back names the last number it has in `after`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, Final

from starlette.websockets import WebSocketDisconnect, WebSocketState

from windlass.errors import ConflictError, UsageError, WindlassError
from windlass.operations.hosted import logs
from windlass.server.figures import LIVE_BYTES, WATCHERS
from windlass.server.live.sources import EventSource, LogSource
from windlass.server.problems import answer_error
from windlass.server.threads import run_in_thread

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from windlass.operations.hosted.site import Site
    from windlass.server.live.hub import Hub
    from windlass.server.live.sources import Frame, Source

MOST_WATCHES: Final = 100
"""What one connection may watch at a time."""

SERVICE_RESTART: Final = 1012
_FORM: Final = '{"watch": {"run": "RUN", "attempt": 1, "job": 1, "after": -1}}'
_NAMES: Final = {"run", "attempt", "job", "after"}


class Conversation:
    """What one client watches over its connection."""

    def __init__(self, site: Site, hub: Hub, socket: WebSocket) -> None:
        self._site = site
        self._hub = hub
        self._socket = socket
        self._watches: dict[str, asyncio.Task[None]] = {}

    async def hold(self) -> None:
        """Talk until the client goes, or the server ends."""
        await self._socket.accept()
        leaving = asyncio.create_task(self._hub.wait_until_leaving())
        listening = asyncio.create_task(self._listen())
        try:
            await asyncio.wait({leaving, listening}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
            else:
                await self._socket.close(SERVICE_RESTART, "the server is about to end")
        finally:
            tasks = [leaving, listening, *self._watches.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._obey(message.get("text") or "")

    async def _obey(self, text: str) -> None:
        """Do what a client asks for, or say why not."""
        named: dict[str, Any] = {}
        try:
            wish, named = _read_wish(text)
            source, position = await run_in_thread(self._find, named)
        except WindlassError as error:
            await self._refuse(named, error)
            return
        key = json.dumps(source.subject)
        if wish == "unwatch":
            if (task := self._watches.pop(key, None)) is not None:
                task.cancel()
        elif key in self._watches:
            await self._refuse(source.subject, ConflictError("it is watched already"))
        elif len(self._watches) >= MOST_WATCHES:
            excess = ConflictError(f"{MOST_WATCHES} things are watched already")
            await self._refuse(source.subject, excess)
        else:
            self._watches[key] = asyncio.create_task(self._tell(key, source, position))

    def _find(self, named: dict[str, Any]) -> tuple[Source, int]:
        """Return what a client names, and from where on it wants to be told."""
        run, attempt = named["run"], named.get("attempt")
        position = named.get("after", -1) + 1
        if "job" in named:
            job = logs.find_job(self._site, run, attempt, named["job"])
            return LogSource(self._site, job), position
        row = logs.find_attempt(self._site, run, attempt)
        return EventSource(self._site, run, row.attempt), position

    async def _tell(self, key: str, source: Source, position: int) -> None:
        """Tell what is new until all is told."""
        head = key.removesuffix("}")
        sent = LIVE_BYTES.labels(source.kind)
        name = "event" if source.kind == "events" else "log"
        try:
            with WATCHERS.labels(source.kind).track_inprogress():
                async with (
                    self._hub.watching(source) as tail,
                    contextlib.aclosing(tail.watch(position)) as frames,
                ):
                    await self._socket.send_text(f'{head}, "watching": true}}')
                    async for frame in frames:
                        for text in _write(head, name, frame):
                            sent.inc(len(text))
                            await self._socket.send_text(text)
        except WebSocketDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - a fault of ours is told: nothing else will be
            if self._socket.application_state is WebSocketState.CONNECTED:
                await self._refuse(source.subject, error)
        finally:
            # By now another task may tell of the same.
            if self._watches.get(key) is asyncio.current_task():
                del self._watches[key]

    async def _refuse(self, named: dict[str, Any], error: Exception) -> None:
        told = json.loads(bytes(answer_error(None, error).body))
        named = {name: value for name, value in named.items() if name != "after"}
        await self._socket.send_text(json.dumps({**named, "problem": told}))


def _write(head: str, name: str, frame: Frame | None) -> list[str]:
    """Return the texts of a frame; none where nothing has come: a ping says that of a WebSocket."""
    if frame is None:
        return []
    if frame.outcome:
        return [f'{head}, "end": {frame.outcome}}}']
    return [f'{head}, "number": {it.last}, "{name}": {it.text}}}' for it in frame.messages]


def _read_wish(text: str) -> tuple[str, dict[str, Any]]:
    """Return what a client wants, `watch` or `unwatch`, and of what.

    Raises:
        UsageError: it cannot be understood.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("the message is not JSON", hint=f"send {_FORM}") from None
    if not isinstance(message, dict) or len(message) != 1:
        raise UsageError("the message is not an object with one member", hint=f"send {_FORM}")
    ((wish, named),) = message.items()
    if wish not in ("watch", "unwatch") or not isinstance(named, dict):
        raise UsageError("'watch' or 'unwatch' is expected, of an object", hint=f"send {_FORM}")
    _check(named)
    return wish, named


def _check(named: dict[str, Any]) -> None:
    if unknown := sorted(set(named) - _NAMES):
        raise UsageError(f"nothing is called '{unknown[0][:40]}' here", hint=f"send {_FORM}")
    if not isinstance(named.get("run"), str):
        raise UsageError("'run' is not a text", hint=f"send {_FORM}")
    for name, least in (("attempt", 1), ("job", 1), ("after", -1)):
        value = named.get(name, least)
        if type(value) is not int or not least <= value < 1 << 53:
            raise UsageError(
                f"'{name}' is not a whole number from {least} on", hint=f"send {_FORM}"
            )
