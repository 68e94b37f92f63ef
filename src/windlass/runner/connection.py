"""Asking the server: one HTTP connection a thread, kept open, and errors that say what to do next.

401, 403                 RefusedError: the token or the credential is not good
410                      GoneError: the job is no longer this runner's
409                      an answer: there is a gap, and where it begins
other 4xx                ProtocolError: the server does not understand this runner
everything else          AwayError: worth another try, the same one
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from windlass.errors import InputError, PlatformError, UsageError
from windlass.model.values import dataclass
from windlass.protocol.runner import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER_SECONDS: Final = 30.0
"""How long the server may take for anything but a poll."""

LONGEST_ANSWER: Final = 64 << 20
_REFUSED: Final = (401, 403)
_OVERLOADED: Final = (408, 425, 429)
_GONE: Final = 410
_GAP: Final = 409


class AwayError(PlatformError):
    """The server did not answer, or could not do it now; whoever asked tries again."""


class HungUpError(AwayError):
    """The question was given up on this side."""


class RefusedError(PlatformError):
    """The server does not know, or no longer knows, who asks."""


class GoneError(PlatformError):
    """The job is no longer this runner's."""


class ProtocolError(PlatformError):
    """What was asked is nothing the server understands, and will be nothing the next time."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is: `http` or `https`, host and port, and a path that all others follow."""

    scheme: str
    place: str
    path: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}{self.path}"

    def join(self, url: str) -> str:
        """Return a URL; one that begins with a slash is a path of this server."""
        return f"{self}{url}" if url.startswith("/") else url


def read_address(url: str) -> Address:
    """Return the address of a server.

    Raises:
        UsageError: the URL is none that a server can have.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise _refuse_url(url, str(error)) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refuse_url(url, "it names no server")
    if parts.username is not None or parts.query or parts.fragment:
        raise _refuse_url(url, "it has more than a server and a path")
    return Address(parts.scheme, parts.netloc, parts.path.rstrip("/"))


def _refuse_url(url: str, reason: str) -> UsageError:
    return UsageError(
        f"'{url}' is not the URL of a server: {reason}", hint="such as --url http://127.0.0.1:8484"
    )


class Connection:
    """One connection to the server, for one thread; it is made anew after any trouble.

    Only `hang_up` and `move` may be called by another thread.
    """

    def __init__(self, address: Address, credential: str = "") -> None:
        """Take what this runner shows; nothing where it is not registered yet."""
        self._address = address
        self._credential = credential
        self._client: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()
        self._is_hung_up = False

    def post(self, path: str, body: str, patience: float = ANSWER_SECONDS) -> tuple[int, bytes]:
        """Post JSON to a path below `/runner/v1`; return status and answer, see the module.

        Raises:
            AwayError, RefusedError, GoneError, ProtocolError: see the module.
        """
        return self._ask("POST", path, body.encode("ascii"), "application/json", patience)

    def put(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Put bytes there. Raises as `post` does."""
        return self._ask("PUT", path, body, "application/octet-stream", ANSWER_SECONDS)

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def hang_up(self) -> None:
        """End a question that waits for its answer: it raises HungUpError. Others may follow."""
        with self._lock:
            self._is_hung_up = True
            link = None if self._client is None else self._client.sock
        if link is not None:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def move(self, address: Address, credential: str) -> None:
        """Ask another server, or as another runner, from the next question on."""
        with self._lock:
            self._address, self._credential = address, credential
        self.hang_up()

    def _ask(
        self, method: str, path: str, body: bytes, kind: str, patience: float
    ) -> tuple[int, bytes]:
        try:
            status, content = self._try(method, path, body, kind, patience)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            with self._lock:
                # It has ended this question: the next one is asked.
                was_hung_up, self._is_hung_up = self._is_hung_up, False
            if was_hung_up:
                raise HungUpError("the question was given up") from error
            said = str(error) or type(error).__name__
            raise AwayError(f"the server {self._address} does not answer: {said}") from error
        self._judge(status, content)
        return status, content

    def _try(
        self, method: str, path: str, body: bytes, kind: str, patience: float
    ) -> tuple[int, bytes]:
        client = self._open(patience)
        headers = {"Content-Type": kind, "Accept": "application/json"}
        if self._credential:
            headers["Authorization"] = f"Bearer {self._credential}"
        client.request(method, f"{self._address.path}{PREFIX}/{path}", body, headers)
        answer = client.getresponse()
        content = answer.read(LONGEST_ANSWER)
        if answer.length and len(content) < LONGEST_ANSWER:
            # The server has died over it: what there is would be taken for all of it.
            raise http.client.IncompleteRead(content, answer.length)
        if answer.will_close:
            self.close()
        return answer.status, content

    def _open(self, patience: float) -> http.client.HTTPConnection:
        if self._client is None or self._client.sock is None:
            made = self._make(patience)
            made.connect()
            _watch(made.sock)
            with self._lock:
                self._client = made
        client = self._client
        with self._lock:
            if self._is_hung_up:
                raise ConnectionAbortedError("the question is no longer asked")
        client.timeout = patience
        link: socket.socket = client.sock
        link.settimeout(patience)
        return client

    def _make(self, patience: float) -> http.client.HTTPConnection:
        if self._address.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self._address.place, timeout=patience, context=context
            )
        return http.client.HTTPConnection(self._address.place, timeout=patience)

    def _judge(self, status: int, content: bytes) -> None:
        if 200 <= status < 300 or status == _GAP:
            return
        said = f"the server {self._address} said {status}: {_read_problem(content)}"
        if status in _REFUSED:
            raise RefusedError(said)
        if status == _GONE:
            raise GoneError(said)
        if 400 <= status < 500 and status not in _OVERLOADED:
            raise ProtocolError(said)
        raise AwayError(said)


def _watch(link: socket.socket) -> None:
    """Have the kernel notice within seconds that nothing comes through any more."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 15_000)


def read_gap(content: bytes, member: str) -> int:
    """Return where the server wants a runner to go on, of an answer of 409.

    Raises:
        ProtocolError: it does not say.
    """
    found = _members(content).get(member)
    if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        return found
    raise ProtocolError(f"the server refuses what is sent, and does not say '{member}'")


def read_answer(kind: Any, content: bytes) -> Any:
    """Return the message that an answer is.

    Raises:
        ProtocolError: it is none.
    """
    from windlass.protocol.runner import decode_message

    try:
        return decode_message(kind, content)
    except InputError as error:
        raise ProtocolError(error.message, hint=error.hint) from error


def _read_problem(content: bytes) -> str:
    """Return the sentence of a problem (RFC 9457), or the beginning of whatever else it is."""
    members = _members(content)
    said = members.get("detail") or members.get("title")
    text = said if isinstance(said, str) else content.decode("utf-8", "replace").strip()[:200]
    return text or "nothing more"


def _members(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
