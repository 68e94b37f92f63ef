"""Ports for servers that are told theirs beforehand, and that Docker gives to no other."""

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
