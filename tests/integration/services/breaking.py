"""A line to a server that breaks: it carries some connections only so far."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE = 1 << 14


class Breaking:
    """Listens on this machine, forwards to a server, and cuts the connections it is told to.

    `judge` sees the first bytes of a request and returns after how many bytes of the client's its
    connection is cut; None lets it be.
    """

    def __init__(self, origin: str, judge: Callable[[bytes], int | None]) -> None:
        target = urlsplit(origin)
        self._target = (target.hostname or "", target.port or 0)
        self._judge = judge
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut = 0
        # What it judges by, and how often it has cut, is for one connection at a time.
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more; what is open is carried on."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(self._target) as server:
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            carried, most = 0, None
            while piece := _receive(client):
                if most is None:
                    with self._lock:
                        most = self._judge(piece)
                carried += len(piece)
                if most is not None and carried > most:
                    with self._lock:
                        self.cut += 1
                    break
                server.sendall(piece)
            for it in (server, client):
                _end(it)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    while piece := _receive(source):
        try:
            target.sendall(piece)
        except OSError:
            return
    _end(target)


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(PIECE)
    except OSError:
        return b""


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
