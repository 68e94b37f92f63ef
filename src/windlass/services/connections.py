"""One connection of a client: requests come in, answers go out, one after the other."""

from __future__ import annotations

import io
import socket
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import PlatformError
from windlass.services.heads import read_head
from windlass.services.messages import (
    PHRASES,
    Request,
    RequestError,
    Response,
    Stream,
    TruncatedBodyError,
)
from windlass.services.request_bodies import open_body
from windlass.stores.blob_parts import FileSlice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from windlass.services.heads import Head
    from windlass.services.messages import Part
    from windlass.services.request_bodies import RequestBody

IDLE_SECONDS: Final = 300.0
"""How long a connection may say nothing."""

MOST_DRAINED: Final = 128 << 20
"""What a refused request still brings is read up to here: no client listens while it sends."""

LINGER_SECONDS: Final = 1.0

_WITHOUT_CONTENT: Final = (204, 304)
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection:
    """Answers what comes on a socket, by `answer`, until its client has nothing more to ask."""

    def __init__(
        self,
        connection: socket.socket,
        answer: Callable[[Request, str], Response],
        origin: str = "",
    ) -> None:
        """Take what answers a request and its field `Authorization`.

        The client finds this server at the origin; without one, where it says itself.
        """
        self.waiting_since: float | None = time.monotonic()
        """Since when the client keeps this waiting: no whole head of a request has come, nothing
        more of a body, or nothing of an answer was taken. None while something is done for it."""
        self._socket = connection
        self._source: io.BufferedReader[Any] = io.BufferedReader(
            _Incoming(connection, self._waiting)
        )
        self._answer = answer
        self._origin = origin

    def serve(self) -> None:
        """Answer to the end; a client that goes away is no fault of anybody."""
        connection = self._socket
        try:
            connection.settimeout(IDLE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while self._serve_next():
                """The next request is awaited."""
        except (TruncatedBodyError, PlatformError, OSError):
            # A client that is gone, or an answer that cannot go on: it sees the connection end.
            pass
        finally:
            self._source.close()
            connection.close()

    def give_way(self) -> None:
        """End, from another thread: others need the place."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Note that the client is waited for; a head is waited for until all of it is there."""
        if self.waiting_since is not None:
            yield
            return
        self.waiting_since = time.monotonic()
        try:
            yield
        finally:
            self.waiting_since = None

    def _serve_next(self) -> bool:
        """Answer one request; False where no other can follow."""
        try:
            head = read_head(self._source)
            self.waiting_since = None
            if head is None:
                return False
            body = open_body(head, self._source)
        except RequestError as error:
            self._send(error.respond(), is_last=True)
            self._linger()
            return False
        if head.get("expect").lower() == "100-continue":
            self._socket.sendall(_CONTINUE)
        response = self._answer(self._read_request(head, body), head.get("authorization"))
        is_last = not body.drain(MOST_DRAINED) or head.ends_connection
        self._send(response, is_last=is_last, is_asked_for_head=head.method == "HEAD")
        if is_last:
            self._linger()
        self.waiting_since = time.monotonic()
        return not is_last

    def _linger(self) -> None:
        """Let a client hear what it was told: to close with unread bytes would take that back."""
        self._socket.shutdown(socket.SHUT_WR)
        self._socket.settimeout(LINGER_SECONDS)
        for _ in range(MOST_DRAINED >> 16):
            if not self._source.read1(1 << 16):
                return

    def _read_request(self, head: Head, body: RequestBody) -> Request:
        return Request(
            method=head.method,
            path=head.path,
            query=head.query,
            headers=head.headers,
            body=body,
            origin=self._origin or f"http://{head.get('host') or self._own_name()}",
            job=None,
        )

    def _own_name(self) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"{host}:{port}"

    def _send(self, response: Response, *, is_last: bool, is_asked_for_head: bool = False) -> None:
        body = response.body
        length = body.length if isinstance(body, Stream) else len(body)
        lines = [f"HTTP/1.1 {response.status} {PHRASES.get(response.status, '')}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if response.status not in _WITHOUT_CONTENT:
            lines.append(f"Content-Length: {length}")
        if is_last:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
        if is_asked_for_head or response.status in _WITHOUT_CONTENT:
            self._send_part(head)
        elif isinstance(body, Stream):
            self._send_part(head)
            for part in body.parts:
                self._send_part(part)
        else:
            self._send_part(head + body)

    def _send_part(self, part: Part) -> None:
        if not isinstance(part, FileSlice):
            with self._waiting():
                self._socket.sendall(part)
            return
        with part.path.open("rb", buffering=0) as file, self._waiting():
            sent = self._socket.sendfile(file, part.offset, part.count)
        if sent != part.count:
            raise ConnectionError("a stored file is shorter than it was")


class _Incoming(io.RawIOBase):
    """What comes on a socket, read within `waiting`."""

    def __init__(
        self, connection: socket.socket, waiting: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._socket = connection
        self._waiting = waiting

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with what is there, or comes first; 0 at the end."""
        with self._waiting():
            return self._socket.recv_into(buffer)
