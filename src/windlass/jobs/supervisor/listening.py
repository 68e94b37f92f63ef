"""A socket on the localhost of the network that this process is in."""

from __future__ import annotations

from _socket import AF_INET, SOCK_CLOEXEC, SOCK_STREAM, socket

LOOPBACK = "127.0.0.1"
BACKLOG = 256


def listen_locally() -> socket:
    """Return a socket that listens at a free port.

    Raises:
        OSError: the machine refuses it.
    """
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC)
    try:
        listener.bind((LOOPBACK, 0))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
