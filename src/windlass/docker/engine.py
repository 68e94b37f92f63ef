"""Asking the daemon: one request, a stream of answers, or a connection of one's own."""

from __future__ import annotations

import contextlib
import json
import threading
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from windlass.docker.connections import Connection, open_socket
from windlass.docker.faults import describe_hangup, describe_old_version, describe_refusal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from http.client import HTTPResponse

    from windlass.docker.addresses import Address

    Body = bytes | Iterable[bytes] | Mapping[str, Any] | None
    Query = Mapping[str, Any]

PATIENCE_SECONDS: Final = 60.0
"""How long an answer may take, where nothing else is said. A pull or a wait takes any time."""

NEWEST: Final = (1, 47)
"""The version of the API that this client was written for; an older daemon is asked in its own."""

OLDEST: Final = (1, 40)
"""The oldest version whose answers are understood: that of Docker 19.03, and of Podman."""

GREETING_SECONDS: Final = 10.0
"""How long the first answer may take: a daemon that works gives it at once."""

_WITHOUT_BODY: Final = (204, 304)
_FIRST_ERROR: Final = 400
_BLOCK_BYTES: Final = 1 << 16
_HEAD_BYTES: Final = 1 << 16


class Engine:
    """The daemon at one address; may be used from several threads.

    Every call raises, besides what it says itself:
        NoDaemonError: nobody listens there, or we may not talk to it.
        DaemonGoneError: the daemon went away meanwhile.
        RefusedError: the daemon said no.
    """

    def __init__(self, address: Address, *, patience: float = PATIENCE_SECONDS) -> None:
        """Name the daemon, and how many seconds any of its answers may take at most."""
        self.address = address
        self._patience = patience
        self._lock = threading.Lock()
        self._prefix: str | None = None
        self._connections: set[Connection] = set()

    def hang_up(self) -> None:
        """End what is being asked for now, from another thread: a pull, a build, a wait.

        Who asked is told that the daemon went away, or that its answer was at its end.
        """
        for connection in tuple(self._connections):
            connection.hang_up()

    def ping(self) -> str:
        """Return the version of the API that is spoken: the daemon's, or ours if that is older.

        Raises:
            NoDaemonError: the daemon is too old, too.
        """
        with self._lock:
            if self._prefix is None:
                with self._answer("GET", "/_ping", None, {}, GREETING_SECONDS) as (response, _):
                    response.read()
                    told = response.headers.get("Api-Version", "")
                self._prefix = _choose_version(self.address, told)
        return self._prefix

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = PATIENCE_SECONDS,
    ) -> Any:
        """Return the daemon's answer, as JSON has it; None for an empty one."""
        with self._answer(method, self._target(path, query), body, headers or {}, timeout) as (
            response,
            _,
        ):
            text = response.read()
            if not text and _is_cut(response):
                raise ConnectionResetError("the answer has no end")
            return json.loads(text) if text.strip() else None

    def fetch(
        self, path: str, *, query: Query | None = None, timeout: float | None = PATIENCE_SECONDS
    ) -> Iterator[bytes]:
        """Yield the bytes of an answer, in blocks, as they come."""
        with self._answer("GET", self._target(path, query), None, {}, timeout) as (response, _):
            while block := response.read1(_BLOCK_BYTES):
                yield block

    def follow(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the messages of a stream of JSON, a line each, as they come.

        Raises:
            RefusedError: one of the messages is an error.
        """
        target = self._target(path, query)
        with self._answer(method, target, body, headers or {}, None) as (response, _):
            for line in _read_lines(response):
                if not line.strip():
                    continue
                message = json.loads(line)
                if error := message.get("error"):
                    raise describe_refusal(str(error))
                yield message

    def take_over(
        self, path: str, *, query: Query | None = None, body: Mapping[str, Any] | None = None
    ) -> socket.socket:
        """Return the connection itself, which carries a container's streams from now on."""
        target = self._target(path, query)
        text = b"" if body is None else json.dumps(body).encode()
        with self._telling():
            link = open_socket(self.address, self._patience)
            try:
                link.sendall(
                    f"POST {target} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\n"
                    "Upgrade: tcp\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(text)}\r\n\r\n".encode()
                    + text
                )
                _expect_upgrade(link)
            except BaseException:
                link.close()
                raise
        link.settimeout(None)
        return link

    def _target(self, path: str, query: Query | None) -> str:
        prefix = self.ping()
        pairs = {
            name: _as_text(value) for name, value in (query or {}).items() if value is not None
        }
        return f"{prefix}{path}" + (f"?{urlencode(pairs)}" if pairs else "")

    @contextlib.contextmanager
    def _answer(
        self,
        method: str,
        target: str,
        body: Body,
        headers: Mapping[str, str],
        timeout: float | None,
    ) -> Iterator[tuple[HTTPResponse, Connection]]:
        """Ask, and give the answer once its head is there and is not an error."""
        data, kind = _encode_body(body)
        patience = None if timeout is None else min(timeout, self._patience)
        with self._telling(), self._connect(patience) as connection:
            connection.request(method, target, data, {**kind, **headers, "Connection": "close"})
            response = connection.getresponse()
            if response.status >= _FIRST_ERROR:
                raise describe_refusal(_read_message(response.read()), response.status)
            yield response, connection

    @contextlib.contextmanager
    def _connect(self, timeout: float | None) -> Iterator[Connection]:
        with contextlib.closing(Connection(self.address, timeout)) as connection:
            self._connections.add(connection)
            try:
                yield connection
            finally:
                self._connections.discard(connection)

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Make a hang-up an error of ours."""
        try:
            yield
        except (OSError, HTTPException, ValueError) as error:
            raise describe_hangup(self.address, error) from error


def _choose_version(address: Address, told: str) -> str:
    """Return the prefix of all paths; without a version, which some do not tell, it is empty."""
    major, _, minor = told.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        return ""
    version = min(NEWEST, (int(major), int(minor)))
    if version < OLDEST:
        raise describe_old_version(address, told, f"{OLDEST[0]}.{OLDEST[1]}")
    return f"/v{version[0]}.{version[1]}"


def _is_cut(response: HTTPResponse) -> bool:
    """Tell whether the head of an answer does not say how long it is, which a daemon does."""
    is_short = response.status in _WITHOUT_BODY or "Content-Length" in response.headers
    return not is_short and not response.chunked


def _read_lines(response: HTTPResponse) -> Iterator[bytes]:
    """Yield the lines of an answer; `readline` takes one that is cut off for one that has ended."""
    held = b""
    while block := response.read1(_BLOCK_BYTES):
        *lines, held = (held + block).split(b"\n")
        yield from lines
    yield held


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _encode_body(body: Body) -> tuple[Any, dict[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, dict):
        return json.dumps(body).encode(), {"Content-Type": "application/json"}
    return body, {"Content-Type": "application/x-tar"}


def _read_message(text: bytes) -> str:
    """Return what is said in the body of an error: `{"message": ...}`, or plain text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text.decode("utf-8", "replace")
    message = found.get("message") if isinstance(found, dict) else None
    return message if isinstance(message, str) else text.decode("utf-8", "replace")


def _expect_upgrade(link: socket.socket) -> None:
    """Read the head of an answer and no byte of what follows it.

    Raises:
        RefusedError: it is an error.
        ConnectionResetError: there is no whole head.
    """
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = link.recv(1)
        if not byte or len(head) > _HEAD_BYTES:
            raise ConnectionResetError("the daemon hung up")
        head += byte
    status = int(head.split(None, 2)[1])
    if status >= _FIRST_ERROR:
        body = _read_rest(link.recv, head)
        raise describe_refusal(_read_message(body), status)


def _read_rest(receive: Callable[[int], bytes], head: bytes) -> bytes:
    """Return the body of an error, as long as its head says."""
    size = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            size = int(line.partition(b":")[2])
    body = b""
    while len(body) < size and (more := receive(size - len(body))):
        body += more
    return body
