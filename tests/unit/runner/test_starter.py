"""The process that starts those of jobs."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

from windlass.runner import starter

if TYPE_CHECKING:
    import pytest


def test_a_machine_without_room_for_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and the supervisor that was started for the job goes again."""
    near, far = socket.socketpair()
    requests, listening = socket.socketpair()

    def refuse() -> int:
        raise OSError(errno.EAGAIN, "no room")

    monkeypatch.setattr(starter, "lend_supervisor", lambda: (near, 7))
    monkeypatch.setattr(os, "fork", refuse)
    with far, requests, listening:
        assert starter._start(requests, listening.fileno()) == ("refused", errno.EAGAIN)
        assert far.recv(1) == b""
