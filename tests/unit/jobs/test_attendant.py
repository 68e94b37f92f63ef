"""The process that stands for a container: which signals that gets, and when."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from windlass.docker.addresses import read_address
from windlass.docker.engine import Engine
from windlass.jobs.actions import attendant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the daemon was told to send; the handlers of this process are restored."""
    told: list[str] = []
    monkeypatch.setattr(attendant, "kill_container", lambda _engine, _id, name: told.append(name))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield told
    for number, handler in before.items():
        signal.signal(number, handler)


def test_signals_wait_for_the_container(sent: list[str]) -> None:
    """A daemon refuses them before, and none may be lost."""
    signals = attendant._Signals(Engine(read_address("unix:///none", {})), "c")
    signals.take()
    os.kill(os.getpid(), signal.SIGINT)
    assert sent == []

    signals.hand_over()
    assert sent == ["SIGINT"]
    os.kill(os.getpid(), signal.SIGTERM)
    assert sent == ["SIGINT", "SIGTERM"]


def test_a_daemon_that_is_gone(tmp_path: Path) -> None:
    """It is told in the output, with what to do, and there is no traceback."""
    done = subprocess.run(
        attendant.list_arguments(f"unix://{tmp_path}/none", "c"), capture_output=True, text=True
    )

    assert done.returncode == 125
    assert "cannot be reached" in done.stdout
    assert "start Docker" in done.stdout
    assert done.stderr == ""
