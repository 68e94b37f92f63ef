"""Tunnels from a job's processes to the services of the server: bytes go both ways, unread.

Source of the way in: https://www.rfc-editor.org/rfc/rfc9110#name-upgrade
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from windlass.model.values import dataclass
from windlass.protocol.services import ORIGIN, TUNNELS, UPGRADE

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from windlass.protocol.runner import JobId
    from windlass.runner.encrypted import EncryptedSocket

    Channel = socket.socket | EncryptedSocket

PIECE_BYTES: Final = 1 << 18
PAUSE_SECONDS: Final = 0.25
SECONDS_TO_CONNECT: Final = 10.0
LINGER_SECONDS: Final = 1.0
_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_HEAD: Final = 1 << 16
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *(\d{1,9})")
_SWITCHED: Final = 101
_REFUSED: Final = 400
_LAST_REFUSED: Final = 499


class UnreachableError(Exception):
    """The server is not there, or does not want this tunnel now; the sentence says why."""


class RefusedError(Exception):
    """The server does not let this job in, now or later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Where the server is and what a runner shows there; `patience` is in seconds."""

    url: str
    credential: str
    tls: ssl.SSLContext | None
    patience: float


class Tunnel:
    """One connection of a job's process, and that to the server which belongs to it."""

    def __init__(
        self, client: socket.socket, find_gate: Callable[[], Gate], job: JobId, origin: str
    ) -> None:
        """Take a connection that came to an origin; where the gate is may change meanwhile."""
        self.waiting_since: float | None = time.monotonic()
        """When the last byte came or went."""
        self._client = client
        self._find_gate = find_gate
        self._job = job
        self._origin = origin

    def serve(self) -> None:
        """Carry bytes until both sides are done; say so where the server cannot be reached."""
        client = self._client
        with client:
            try:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = self._connect()
            except (UnreachableError, RefusedError) as error:
                with suppress(OSError):
                    _refuse(client, error)
                return
            except OSError:
                return
            try:
                back = threading.Thread(
                    target=self._carry, args=(server, client), daemon=True, name="services"
                )
                back.start()
                self._carry(client, server)
                back.join()
            finally:
                server.close()

    def give_way(self) -> None:
        """End, from another thread."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> Channel:
        """Return a connection on which the server's services answer; wait for a server."""
        deadline = time.monotonic() + self._find_gate().patience
        while True:
            try:
                return _open_tunnel(self._find_gate(), self._job, self._origin)
            except (UnreachableError, OSError) as error:
                if time.monotonic() > deadline:
                    raise UnreachableError(str(error)) from error
            time.sleep(PAUSE_SECONDS)

    def _carry(self, source: Channel, target: Channel) -> None:
        """Carry bytes one way to their end, and say there that it is the end."""
        buffer = memoryview(bytearray(PIECE_BYTES))
        try:
            while count := source.recv_into(buffer):
                target.sendall(buffer[:count])
                self.waiting_since = time.monotonic()
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # One side is gone, and the other is not to wait for it.
            for side in (source, target):
                with suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)


def open_connection(gate: Gate) -> Channel:
    """Return a connection to the server on which nothing has been said.

    Raises:
        OSError: there is none.
    """
    parts = urlsplit(gate.url)
    host = parts.hostname or "localhost"
    port = parts.port or _PORTS.get(parts.scheme, 80)
    plain = socket.create_connection((host, port), timeout=SECONDS_TO_CONNECT)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if parts.scheme != "https":
        return plain
    # Imported only where it is needed: TLS takes its time to import.
    from windlass.runner.encrypted import EncryptedSocket

    return EncryptedSocket(plain, host, gate.tls)


def _open_tunnel(gate: Gate, job: JobId, origin: str) -> Channel:
    server = open_connection(gate)
    try:
        parts = urlsplit(gate.url)
        lines = [
            f"GET {parts.path}{TUNNELS}{job} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Authorization: Bearer {gate.credential}",
            "Connection: Upgrade",
            f"Upgrade: {UPGRADE}",
            f"{ORIGIN}: {origin}",
        ]
        server.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        status, said = _read_answer(server)
        if status == _SWITCHED:
            server.settimeout(None)
            return server
        if _REFUSED <= status <= _LAST_REFUSED:
            raise RefusedError(f"The server refuses the job's connection ({status}): {said}")
        raise UnreachableError(f"the server answers {status}: {said}")
    except BaseException:
        server.close()
        raise


def _read_answer(server: Channel) -> tuple[int, str]:
    """Return the status of an answer, and what its body says.

    The server says nothing behind the head of a 101 before it is spoken to.
    """
    head, _, body = _read_until(server, bytearray(), lambda it: b"\r\n\r\n" in it).partition(
        b"\r\n\r\n"
    )
    first = bytes(head).split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(first) < 2 or not first[1].isdigit():
        raise UnreachableError("what is at the address of the server does not speak HTTP")
    length = _LENGTH.search(head)
    if length is not None:
        wanted = min(int(length[1]), _LONGEST_HEAD)
        body = _read_until(server, body, lambda it: len(it) >= wanted)
    return int(first[1]), _read_detail(bytes(body))


def _read_until(
    server: Channel, got: bytearray, is_enough: Callable[[bytearray], bool]
) -> bytearray:
    """Read on, behind what came already, until it is enough."""
    buffer = memoryview(bytearray(1 << 12))
    while not is_enough(got):
        count = server.recv_into(buffer)
        if not count or len(got) > _LONGEST_HEAD:
            raise UnreachableError("the server ended the connection without an answer")
        got += buffer[:count]
    return got


def _read_detail(body: bytes) -> str:
    try:
        problem = json.loads(body)
        return str(problem.get("detail") or problem.get("message") or "")
    except (ValueError, AttributeError):
        return ""


def _refuse(client: socket.socket, error: Exception) -> None:
    """Answer in the place of the server; clients ask again after a 503, and not after a 403."""
    is_final = isinstance(error, RefusedError)
    code, status = ("permission_denied", "403 Forbidden") if is_final else ("unavailable", "")
    status = status or "503 Service Unavailable"
    message = f"{error}" if is_final else f"Windlass's server cannot be reached: {error}"
    body = json.dumps({"code": code, "msg": message, "message": message}).encode()
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    client.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    # To close with unread bytes would take back what was said.
    client.shutdown(socket.SHUT_WR)
    client.settimeout(LINGER_SECONDS)
    buffer = bytearray(1 << 16)
    while client.recv_into(buffer):
        """What it still sends is nothing to anybody."""
