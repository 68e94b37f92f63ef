"""A server's application on a socket: from the first request to a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import socket
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from windlass.errors import PlatformError
from windlass.server.patience import PatientProtocol, PatientWebSocket

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from starlette.types import ASGIApp

GRACE_SECONDS: Final = 10
"""So long requests that are under way may take when the server is asked to end."""

MOST_CONNECTIONS: Final = 4096
WAITING_CONNECTIONS: Final = 1024
IDLE_SECONDS: Final = 30
"""A connection is kept so long for the next request."""

LONGEST_HEAD_BYTES: Final = 32 << 10
LONGEST_MESSAGE_BYTES: Final = 64 << 10
"""Of a WebSocket's client."""

_PARTING_SECONDS: Final = 0.2
_TICK_SECONDS: Final = 1.0
_TICKS_BETWEEN: Final = 10
"""uvicorn counts in tenths of a second."""

_SPARE_FILES: Final = 512


def serve(
    app: ASGIApp,
    listening: socket.socket,
    *,
    on_leaving: Callable[[], None],
    grace: float = GRACE_SECONDS,
) -> None:
    """Serve until SIGINT or SIGTERM comes, and then until what is under way has ended.

    `listening` is what `listen` returned. `on_leaving` is called when no more connections are
    taken: it says `windlass.engine.server.changes.LEAVING`, so that whoever waits here is let go.
    What has not ended after `grace` seconds is broken off.
    """
    _allow_files(MOST_CONNECTIONS + _SPARE_FILES)
    Server(app, on_leaving, grace).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that connections can be made to from now on.

    Raises:
        PlatformError: the address cannot be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _refuse(host, port, error) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(WAITING_CONNECTIONS)
        listening.settimeout(0)
    except OSError as error:
        listening.close()
        raise _refuse(host, port, error) from error
    return listening


class Server(uvicorn.Server):
    """uvicorn, which lets those go who wait before it ends, and sleeps where nobody asks."""

    def __init__(
        self, app: ASGIApp, on_leaving: Callable[[], None], grace: float = GRACE_SECONDS
    ) -> None:
        self._wake: Callable[[], None] = _do_nothing
        super().__init__(_configure(app, grace))
        self._on_leaving = on_leaving

    @property
    def should_exit(self) -> bool:
        """Whether it is to end. May be set by any thread, and by a signal."""
        return self._should_exit

    @should_exit.setter
    def should_exit(self, should: bool) -> None:
        self._should_exit = should
        if should:
            self._wake()

    async def main_loop(self) -> None:
        """Wait until it is to end.

        uvicorn looks ten times a second whether it is; once a second is left, for the time of day
        in the heads of answers.
        """
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: _call(loop, woken.set)
        ticks = 0
        while not await self.on_tick(ticks):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), _TICK_SECONDS)
            ticks += _TICKS_BETWEEN

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to end; a second Ctrl-C does not wait. Unlike uvicorn's, `serve` then returns."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let those go who wait, and end."""
        for server in self.servers:
            server.close()
        await asyncio.to_thread(self._on_leaving)
        # Streams and WebSockets say goodbye themselves before uvicorn closes what is left.
        await asyncio.sleep(_PARTING_SECONDS)
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        # A turn of the loop each: to close, and to hear of it.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def _do_nothing() -> None:
    """Wake nobody: nobody waits yet."""


def _call(loop: asyncio.AbstractEventLoop, deed: Callable[[], object]) -> None:
    """Have a loop do something, unless it has ended."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(deed)


def _configure(app: ASGIApp, grace: float) -> uvicorn.Config:
    options: dict[str, Any] = {
        "http": PatientProtocol,
        "ws": PatientWebSocket,
        "loop": "auto",  # uvloop, where it is installed: a request takes it half the time
        "lifespan": "on",
        "log_config": None,
        "access_log": False,  # see windlass.server.request_lines
        "proxy_headers": False,
        "server_header": False,
        "limit_concurrency": MOST_CONNECTIONS,
        "backlog": WAITING_CONNECTIONS,
        "timeout_keep_alive": IDLE_SECONDS,
        "timeout_graceful_shutdown": grace,
        "h11_max_incomplete_event_size": LONGEST_HEAD_BYTES,
        "ws_max_size": LONGEST_MESSAGE_BYTES,
        "ws_per_message_deflate": False,
    }
    return uvicorn.Config(app, **options)


def _allow_files(count: int) -> None:
    """Let this process have so many files open, or as many as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def write_address(host: str, listening: socket.socket) -> str:
    """Return the address by which a socket that listens is found: `http://127.0.0.1:8484`."""
    return f"http://{_write_host(host)}:{listening.getsockname()[1]}"


def _write_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refuse(host: str, port: int, error: OSError) -> PlatformError:
    return PlatformError(
        f"{_write_host(host)}:{port} cannot be listened on: {error.strerror or error}",
        hint="another program may use it: give another one with --listen ADDRESS:PORT",
    )
