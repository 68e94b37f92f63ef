"""Ports of servers that come and go: nobody else gets one while its server is away."""

from __future__ import annotations

import socket


def hold_port() -> socket.socket:
    """Return a socket that keeps a port of this machine for servers of ours, until it is closed.

    It does not listen, so who connects is refused. Servers may listen at its port, one after the
    other: like them it sets SO_REUSEADDR. The kernel gives the port to nobody who asks for any,
    and to no connection to somewhere else, which it may do with one that was only looked for.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def port_of(held: socket.socket) -> int:
    """Return the port that a socket keeps."""
    return int(held.getsockname()[1])
