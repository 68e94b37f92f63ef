"""Connections to the daemon: HTTP over a socket in the file system, over TCP, or with TLS."""

from __future__ import annotations

import contextlib
import socket
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from windlass.docker.faults import describe_absence
from windlass.errors import UsageError

if TYPE_CHECKING:
    from windlass.docker.addresses import Address


class Connection(HTTPConnection):
    """One connection to the daemon."""

    def __init__(self, address: Address, timeout: float | None) -> None:
        """Name the daemon; a call that takes longer than `timeout` seconds without a byte fails."""
        super().__init__(address.host or "docker", timeout=timeout)
        self._address = address
        self._link: socket.socket | None = None

    def connect(self) -> None:
        """Connect.

        Raises:
            NoDaemonError: nobody listens there.
        """
        self.sock = self._link = open_socket(self._address, self.timeout)

    def hang_up(self) -> None:
        """End whatever is said over it, from another thread; whoever reads finds the end.

        The standard library forgets the socket once an answer has begun.
        """
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_RDWR)


def open_socket(address: Address, timeout: float | None) -> socket.socket:
    """Return a socket that is connected to the daemon.

    Raises:
        NoDaemonError: nobody listens there.
        UsageError: the certificates cannot be read.
    """
    try:
        if not address.socket:
            return _open_tcp(address, timeout)
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.settimeout(timeout)
        try:
            found.connect(address.socket)
        except BaseException:
            found.close()
            raise
    except OSError as error:
        raise describe_absence(address, error) from error
    return found


def _open_tcp(address: Address, timeout: float | None) -> socket.socket:
    found = socket.create_connection((address.host, address.port), timeout)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if address.certificates is None:
        return found
    import ssl

    try:
        context = ssl.create_default_context(cafile=f"{address.certificates}/ca.pem")
        context.load_cert_chain(
            f"{address.certificates}/cert.pem", f"{address.certificates}/key.pem"
        )
    except OSError as error:
        found.close()
        raise UsageError(
            f"the certificates for {address.text} cannot be read from {address.certificates}: "
            f"{error.strerror}",
            hint="name the folder with ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH",
        ) from error
    return context.wrap_socket(found, server_hostname=address.host)
