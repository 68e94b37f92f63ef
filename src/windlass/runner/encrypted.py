"""A connection in TLS that one thread reads while another writes.

Python's own socket of TLS must not be used so: what is read and what is written share one state.
Source: https://docs.python.org/3/library/ssl.html#memory-bio-support
"""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

_PIECE_BYTES: Final = 1 << 16


class EncryptedSocket:
    """A client's end; it has what a tunnel needs of a socket, and no more."""

    def __init__(self, plain: socket.socket, host: str, context: ssl.SSLContext | None) -> None:
        """Agree on keys with a host whose certificate is checked.

        Raises:
            OSError: it cannot be trusted, or does not speak TLS.
        """
        self._plain = plain
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._state = (context or ssl.create_default_context()).wrap_bio(
            self._incoming, self._outgoing, server_hostname=host
        )
        self._lock = threading.Lock()
        """Held while the state is used, never while the network is waited for."""
        self._sending = threading.Lock()
        """Held while something is sent: records have to leave in the order they were made in."""
        try:
            self._agree()
        except BaseException:
            plain.close()
            raise

    def recv_into(self, buffer: memoryview | bytearray) -> int:
        """Fill a buffer as far as something has come; 0 at the end."""
        while True:
            with self._lock:
                try:
                    # What it returns is the count where a buffer is given; typeshed knows one kind.
                    return int(self._state.read(len(buffer), buffer))
                except ssl.SSLWantReadError:
                    is_due = self._outgoing.pending > 0
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return 0
            if is_due:
                self._flush()
            self._receive()

    def sendall(self, data: bytes | memoryview) -> None:
        """Send everything."""
        rest = memoryview(data)
        while rest:
            with self._lock:
                rest = rest[self._state.write(rest[:_PIECE_BYTES]) :]
            self._flush()

    def shutdown(self, how: int) -> None:
        """End one direction or both; what goes through says itself where it ends."""
        self._plain.shutdown(how)

    def settimeout(self, seconds: float | None) -> None:
        """Set how long is waited for the network; None for ever."""
        self._plain.settimeout(seconds)

    def close(self) -> None:
        """Close the connection."""
        self._plain.close()

    def _agree(self) -> None:
        while True:
            try:
                self._state.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()
            else:
                self._flush()
                return

    def _receive(self) -> None:
        data = self._plain.recv(_PIECE_BYTES)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _flush(self) -> None:
        with self._sending:
            with self._lock:
                data = self._outgoing.read()
            if data:
                self._plain.sendall(data)
