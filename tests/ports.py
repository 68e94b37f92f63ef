"""Ports for servers that are told theirs beforehand, and that nobody else is to get meanwhile."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

LOWEST, HIGHEST = 10_000, 32_000
GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""The ports that Linux, and Docker, give to whoever asks for any: ip(7)."""


def choose_port() -> int:
    """Return a port of this machine that is free, and that nobody is given who asks for any.

    Another port could be somebody's connection or service before the server listens on it.
    """
    lowest, highest = map(int, GIVEN.read_text().split())
    ours = [it for it in range(LOWEST, HIGHEST) if not lowest <= it <= highest]
    for port in random.sample(ours or range(LOWEST, HIGHEST), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("none of a hundred ports is free")


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
