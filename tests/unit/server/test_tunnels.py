"""Where tunnels end: what is done within the event loop."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from windlass.server.services import HostedServices
from windlass.services.contents import Contents

if TYPE_CHECKING:
    import pytest

    from windlass.operations.hosted.site import Site


class HandedOver:
    """A connection that is given away."""

    def __init__(self, ours: socket.socket) -> None:
        self._ours = ours

    def hand_over(self) -> socket.socket:
        return self._ours


def test_a_tunnel_begins_without_a_sweep(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep takes as long as the disk does: everybody would wait for the event loop."""
    swept: list[Contents] = []
    monkeypatch.setattr(Contents, "sweep", swept.append)
    ours, theirs = socket.socketpair()
    connection: Any = HandedOver(ours)
    with theirs:
        HostedServices(site).answer(connection, "http://127.0.0.1:1")

        assert theirs.recv(100).startswith(b"HTTP/1.1 101 ")
    assert swept == []
