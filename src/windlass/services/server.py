"""The HTTP server that jobs talk to: threads of the standard library, on addresses of this machine.

    server = Server()
    server.routes("/twirp/some.Service/", handler)
    origin = server.listen("127.0.0.1")     # http://127.0.0.1:PORT
    token = server.tokens.issue(job)

A handler takes a `Request` and returns a `Response`. The longest prefix wins. A route gets requests
with the token of a job that runs; all others are refused before it hears of them, unless it says
`needs_token=False`: then it looks itself at `request.job` or at a signature.
"""

from __future__ import annotations

import errno
import functools
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.model.values import dataclass, replace
from windlass.services.connections import Connection
from windlass.services.messages import Request, RequestError, Response, TruncatedBodyError
from windlass.services.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.services.jobs import ServedJob
    from windlass.services.messages import Handler

LOOPBACK: Final = "127.0.0.1"
BACKLOG: Final = 256
MOST_CONNECTIONS: Final = 256
"""With more open, those that wait for a request make room: a job may open as many as it likes, and
each takes one of the files that this process may have open."""

PAUSE_SECONDS: Final = 0.05
_SCHEMES: Final = ("bearer", "token")


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers the paths that begin so."""

    prefix: str
    handler: Handler
    needs_token: bool


class Server:
    """Answers on every address it listens on, each with the same routes and tokens."""

    def __init__(
        self,
        tell: Callable[[str], None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take what hears, in a line each, of faults of ours, and the clock of tokens."""
        self.tokens = Tokens(now)
        self._tell = tell or (lambda _line: None)
        self._routes: list[Route] = []
        self._listeners: dict[str, _Listener] = {}
        self._adopted: list[_Listener] = []
        self._lock = threading.Lock()

    def routes(self, prefix: str, handler: Handler, *, needs_token: bool = True) -> None:
        """Let a handler answer all paths that begin with a prefix."""
        self._routes.append(Route(prefix, handler, needs_token))
        self._routes.sort(key=lambda route: -len(route.prefix))

    def listen(self, address: str = LOOPBACK) -> str:
        """Listen on one address of this machine and return its origin, `http://HOST:PORT`.

        An address that is listened on already is not opened again. The port is any free one.

        Raises:
            PlatformError: the machine refuses the address.
        """
        with self._lock:
            listener = self._listeners.get(address)
            if listener is None:
                listener = self._listeners[address] = _open(address, self)
            host = f"[{address}]" if ":" in address else address
            return f"http://{host}:{listener.port}"

    def adopt(self, number: int) -> tuple[str, Callable[[], None]]:
        """Answer on an open socket that listens already; return its origin and what ends that.

        It may be one of another network, in which this process is not. It is the server's now.
        """
        listener = _Listener(socket.socket(fileno=number), self)
        with self._lock:
            self._adopted.append(listener)
        return f"http://{LOOPBACK}:{listener.port}", functools.partial(self._abandon, listener)

    def _abandon(self, listener: _Listener) -> None:
        with self._lock:
            if listener in self._adopted:
                self._adopted.remove(listener)
                listener.stop()

    def close(self) -> None:
        """Stop listening; connections that are open end with their clients."""
        with self._lock:
            for listener in (*self._listeners.values(), *self._adopted):
                listener.stop()
            self._listeners.clear()
            self._adopted.clear()

    def find_job(self, authorization: str) -> ServedJob | str:
        """Return whose token a header `Authorization` holds, or why it is none."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() not in _SCHEMES or not token:
            return "The request has no token: a header `Authorization: Bearer TOKEN` is needed."
        return self.tokens.find(token.strip())

    def answer(self, request: Request, authorization: str) -> Response:
        """Return the answer to a request whose token has not been looked at."""
        route = next((it for it in self._routes if request.path.startswith(it.prefix)), None)
        try:
            if route is None:
                raise RequestError(404, f"Windlass serves nothing at {request.path}.")
            job = self.find_job(authorization)
            if route.needs_token and isinstance(job, str):
                raise RequestError(401, job)
            known = None if isinstance(job, str) else job
            return route.handler(replace(request, job=known))
        except RequestError as error:
            return error.respond()
        except TruncatedBodyError:
            raise
        except PlatformError as error:
            self._tell(f"{request.method} {request.path}: {error.message}")
            hint = f"; {error.hint}" if error.hint else ""
            return RequestError(507, f"{error.message}{hint}").respond()
        except Exception as error:  # noqa: BLE001 - the boundary: a client gets an answer always
            self._tell(f"{request.method} {request.path}: {type(error).__name__}: {error}")
            return RequestError(500, "Windlass could not answer: a fault of its own.").respond()


class _Listener:
    """A socket that takes connections, each in a thread of its own."""

    def __init__(self, listener: socket.socket, server: Server) -> None:
        self._socket = listener
        self.port: int = self._socket.getsockname()[1]
        self._server = server
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True, name="services").start()

    def stop(self) -> None:
        """Refuse new connections from now on."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ECONNABORTED):
                    return
                # Connections that end make room.
                time.sleep(PAUSE_SECONDS)
                continue
            client = Connection(connection, self._server.answer)
            self._make_room(client)
            threading.Thread(
                target=self._serve, args=(client,), daemon=True, name="services"
            ).start()

    def _make_room(self, client: Connection) -> None:
        """Count a connection in; with too many, end the one that has said nothing for longest."""
        with self._lock:
            waiting = [
                (since, it) for it in self._connections if (since := it.waiting_since) is not None
            ]
            is_full = len(self._connections) >= MOST_CONNECTIONS
            self._connections.add(client)
            if not is_full or not waiting:
                return
            oldest = min(waiting, key=lambda pair: pair[0])[1]
            # It takes a moment to end: the next one must not be let in for the same.
            self._connections.discard(oldest)
        oldest.give_way()

    def _serve(self, client: Connection) -> None:
        try:
            client.serve()
        finally:
            with self._lock:
                self._connections.discard(client)


def _open(address: str, server: Server) -> _Listener:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.bind((address, 0))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PlatformError(
            f"Windlass cannot listen on {address}: {error.strerror}",
            hint="Artifacts, caches and identity tokens of jobs are served there.",
        ) from error
    return _Listener(listener, server)
