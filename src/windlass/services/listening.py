"""Sockets on which jobs are awaited, and the connections that have come in, each with a thread."""

from __future__ import annotations

import errno
import functools
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from windlass.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK: Final = "127.0.0.1"
BACKLOG: Final = 256
MOST_CONNECTIONS: Final = 256
"""With more open, those that wait for their clients make room: a job may open as many as it likes,
and each takes one of the files that this process may have open."""

PAUSE_SECONDS: Final = 0.05


class Guest(Protocol):
    """A connection that is served in a thread of its own."""

    waiting_since: float | None
    """Since when its client is waited for, of the monotonic clock; None while it is not."""

    def serve(self) -> None:
        """Serve it to its end."""

    def give_way(self) -> None:
        """End, from another thread: others need the place."""


class Guests:
    """The connections that are open, up to a number of them. Threads may share it."""

    def __init__(self, most: int | None = None) -> None:
        """Take how many may be open; MOST_CONNECTIONS where nothing is said."""
        self._most = most
        self._guests: set[Guest] = set()
        self._lock = threading.Lock()

    def admit(self, guest: Guest) -> None:
        """Serve a connection in a thread; with too many, end one that has waited longest."""
        self._make_room(guest)
        threading.Thread(target=self._serve, args=(guest,), daemon=True, name="services").start()

    def end(self) -> None:
        """End all connections."""
        with self._lock:
            guests = list(self._guests)
        for guest in guests:
            guest.give_way()

    def _make_room(self, guest: Guest) -> None:
        with self._lock:
            waiting = [
                (since, it) for it in self._guests if (since := it.waiting_since) is not None
            ]
            is_full = len(self._guests) >= (self._most or MOST_CONNECTIONS)
            self._guests.add(guest)
            if not is_full or not waiting:
                return
            oldest = min(waiting, key=lambda pair: pair[0])[1]
            # It takes a moment to end: the next one must not be let in for the same.
            self._guests.discard(oldest)
        oldest.give_way()

    def _serve(self, guest: Guest) -> None:
        try:
            guest.serve()
        finally:
            with self._lock:
                self._guests.discard(guest)


class Listeners:
    """Listens on any number of addresses of this machine; threads may share it."""

    def __init__(self, make_guest: Callable[[socket.socket, str], Guest]) -> None:
        """Take what serves a connection: it is given the socket, and the origin it came to."""
        self._make_guest = make_guest
        self._listeners: dict[str, _Listener] = {}
        self._adopted: list[_Listener] = []
        self._lock = threading.Lock()

    def listen(self, address: str = LOOPBACK) -> str:
        """Listen on one address of this machine and return its origin, `http://HOST:PORT`.

        An address that is listened on already is not opened again. The port is any free one.

        Raises:
            PlatformError: the machine refuses the address.
        """
        with self._lock:
            listener = self._listeners.get(address)
            if listener is None:
                listener = _Listener(_open(address), address, self._make_guest)
                self._listeners[address] = listener
            return listener.origin

    def adopt(self, number: int) -> tuple[str, Callable[[], None]]:
        """Take connections from an open socket that listens already; return its origin.

        It may be one of another network, in which this process is not. It is ours now, until what
        is returned beside the origin is called.
        """
        listener = _Listener(socket.socket(fileno=number), LOOPBACK, self._make_guest)
        with self._lock:
            self._adopted.append(listener)
        return listener.origin, functools.partial(self._abandon, listener)

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


class _Listener:
    """A socket that takes connections."""

    def __init__(
        self,
        listener: socket.socket,
        address: str,
        make_guest: Callable[[socket.socket, str], Guest],
    ) -> None:
        self._socket = listener
        self._make_guest = make_guest
        self._guests = Guests()
        host = f"[{address}]" if ":" in address else address
        self.origin = f"http://{host}:{listener.getsockname()[1]}"
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
            self._guests.admit(self._make_guest(connection, self.origin))


def _open(address: str) -> socket.socket:
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
    return listener
