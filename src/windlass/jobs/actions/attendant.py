"""A process that stands for a container: its output, its exit code, signals to it.

It runs below a job's supervisor as any step does, so that what holds for the output and the end of
a step holds for a container: it starts one that was made before, passes on what that prints, hands
SIGINT and SIGTERM over, and ends with its exit code. Whoever made the container removes it.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from windlass.docker.addresses import read_address
from windlass.docker.containers import (
    attach,
    kill_container,
    start_container,
    wait_for_container,
)
from windlass.docker.engine import Engine
from windlass.errors import DockerError

if TYPE_CHECKING:
    from types import FrameType

PROGRAM: Final = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); sys.path[:] = sys.argv[3:]; "
    "from windlass.jobs.actions.attendant import attend; sys.exit(attend(*sys.argv[1:3]))"
)
"""What Python is started with; its arguments are the daemon's address, the container's id, and
where modules are found."""

_CANNOT_START: Final = 125
"""The exit code of `docker run` where the daemon refused."""
_STANDARD_OUTPUT: Final = 1


def list_arguments(address: str, container: str) -> list[str]:
    """Return the command that attends a container of the daemon at an address."""
    return [sys.executable, "-I", "-S", "-c", PROGRAM, address, container, *sys.path]


def attend(address: str, container: str) -> int:
    """Run the container to its end and return its exit code."""
    engine = Engine(read_address(address, os.environ))
    signals = _Signals(engine, container)
    try:
        output = attach(engine, container)
        signals.take()
        start_container(engine, container)
        signals.hand_over()
        while found := output.read():
            _write(found[1])
        return wait_for_container(engine, container)
    except DockerError as error:
        _write("\n".join(filter(None, (error.message, error.hint, ""))).encode())
        return _CANNOT_START


class _Signals:
    """Hands signals over to the container; those that come before it runs wait for it."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine = engine
        self._container = container
        self._waiting: list[int] = []
        self._is_running = False

    def take(self) -> None:
        """Let no signal end this process from now on, but the last one."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    def hand_over(self) -> None:
        """The container runs."""
        self._is_running = True
        for number in self._waiting:
            self._send(number)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self._is_running:
            self._send(number)
        else:
            self._waiting.append(number)

    def _send(self, number: int) -> None:
        kill_container(self._engine, self._container, signal.Signals(number).name)


def _write(block: bytes) -> None:
    while block:
        block = block[os.write(_STANDARD_OUTPUT, block) :]
