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

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from windlass.errors import PlatformError
from windlass.model.values import dataclass
from windlass.services.messages import (
    Request,
    RequestError,
    Response,
    Stream,
    TruncatedBodyError,
)
from windlass.services.request_bodies import open_body
from windlass.services.tokens import Tokens
from windlass.stores.blob_parts import FileSlice

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.services.jobs import ServedJob
    from windlass.services.messages import Body, Handler, Part
    from windlass.services.request_bodies import RequestBody

LOOPBACK: Final = "127.0.0.1"
IDLE_SECONDS: Final = 300.0
"""How long a connection may say nothing."""

MOST_DRAINED: Final = 1 << 20
"""What a refused request still brings is read up to here, so that its client hears the refusal."""

_SCHEMES: Final = ("bearer", "token")


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers the paths that begin so."""

    prefix: str
    handler: Handler
    needs_token: bool


class Server:
    """Answers on every address it listens on, each with the same routes and tokens."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        """Take what hears, in a line each, of faults of ours."""
        self.tokens = Tokens()
        self._tell = tell or (lambda _line: None)
        self._routes: list[Route] = []
        self._listeners: dict[str, _Listener] = {}
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
            return f"http://{host}:{listener.server_port}"

    def close(self) -> None:
        """Stop listening; connections that are open end with their clients."""
        with self._lock:
            for listener in self._listeners.values():
                listener.stop()
            self._listeners.clear()

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
            return route.handler(_with_job(request, known))
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


def _with_job(request: Request, job: ServedJob | None) -> Request:
    from windlass.model.values import replace

    return replace(request, job=job)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: str, server: Server) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.owner = server
        super().__init__((address, 0), _Connection)
        threading.Thread(target=self._accept, daemon=True, name="services").start()

    def server_bind(self) -> None:
        """Bind without asking the name service what this machine is called."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away."""

    def _accept(self) -> None:
        """Take connections until the socket is closed; the library's loop would poll for that."""
        while True:
            try:
                connection, client = self.socket.accept()
            except OSError:
                return
            self.process_request(connection, client)

    def stop(self) -> None:
        """Refuse new connections from now on."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def _open(address: str, server: Server) -> _Listener:
    try:
        return _Listener(address, server)
    except OSError as error:
        raise PlatformError(
            f"Windlass cannot listen on {address}: {error.strerror}",
            hint="Artifacts, caches and identity tokens of jobs are served there.",
        ) from error


class _Connection(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    rbufsize = 1 << 16

    def _serve(self) -> None:
        try:
            body = open_body(self.headers, self.rfile)
        except RequestError as error:
            self.close_connection = True
            self._send(error.respond())
            return
        try:
            response = self.server.owner.answer(
                self._read_request(body), self.headers.get("Authorization", "")
            )
            if not body.drain(MOST_DRAINED):
                self.close_connection = True
            self._send(response)
        except (TruncatedBodyError, PlatformError, OSError):
            # A client that is gone, or an answer that cannot go on: it sees the connection end.
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _read_request(self, body: RequestBody) -> Request:
        address = urlsplit(self.path)
        content: Body = body
        return Request(
            method=self.command,
            path=unquote(address.path, errors="surrogateescape"),
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=content,
            origin=f"http://{self.headers.get('Host') or self._own_name()}",
            job=None,
        )

    def _own_name(self) -> str:
        host, port = self.connection.getsockname()[:2]
        return f"{host}:{port}"

    def _send(self, response: Response) -> None:
        body = response.body
        length = body.length if isinstance(body, Stream) else len(body)
        lines = [f"HTTP/1.1 {response.status} {self._phrase(response.status)}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if response.status not in (204, 304):
            lines.append(f"Content-Length: {length}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
        if self.command == "HEAD" or response.status in (204, 304):
            self.connection.sendall(head)
        elif isinstance(body, Stream):
            self.connection.sendall(head)
            for part in body.parts:
                self._send_part(part)
        else:
            self.connection.sendall(head + body)

    def _send_part(self, part: Part) -> None:
        if not isinstance(part, FileSlice):
            self.connection.sendall(part)
            return
        with part.path.open("rb", buffering=0) as file:
            sent = self.connection.sendfile(file, part.offset, part.count)
        if sent != part.count:
            raise ConnectionError("a stored file is shorter than it was")

    def _phrase(self, status: int) -> str:
        return self.responses.get(status, ("", ""))[0]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: addresses carry signatures."""
