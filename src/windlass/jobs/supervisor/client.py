"""Windlass's end of a job's supervisor: starts it, and asks it for things from any thread."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import threading
from _socket import socket, socketpair
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import ExecutorError
from windlass.jobs.supervisor import channel

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANNEL: Final = 3
LOWEST_DESCRIPTOR: Final = 16
"""Our ends are numbered higher, so that none is the supervisor's own by chance."""

SOURCES: Final = str(Path(__file__).resolve().parents[3])
PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from windlass.jobs.supervisor.process import main; main()"
)
GONE: Final = "The supervisor of this job was killed, and the job's processes with it"


class Supervisor:
    """A running supervisor. Requests are answered one at a time; signals do not wait for that."""

    def __init__(self) -> None:
        """Start it without waiting for it.

        Raises:
            ExecutorError: it cannot be started.
        """
        self._sending = threading.Lock()
        self._asking = threading.Lock()
        self._is_gone = self._is_closed = False
        try:
            self._link, self.pid = _start()
        except OSError as error:
            raise ExecutorError(
                f"The supervisor of the job cannot be started with {sys.executable}: "
                f"{error.strerror}"
            ) from error

    def tell(self, *message: Any, files: Sequence[int] = ()) -> None:
        """Send what needs no answer, with open files.

        A supervisor that is gone is noticed by who waits for it.
        """
        try:
            with self._sending:
                channel.send(self._link, message, files)
        except OSError:
            self._is_gone = True

    def ask(self, *message: Any) -> tuple[channel.Message, list[int]]:
        """Send a request and return the answer, with the open files that belong to it.

        Raises:
            ExecutorError: the supervisor is gone.
        """
        with self._asking:
            self.tell(*message)
            try:
                answer = None if self._is_gone else channel.receive(self._link)
            except OSError:
                answer = None
            if answer is None:
                self._is_gone = True
                raise ExecutorError(GONE)
            return answer

    def close(self, *, is_over: bool) -> bool:
        """Let it end the job's processes and go; False where it cannot say that it has.

        `is_over` tells that all output is in the log, so that nothing of the job is left to do. A
        second call does nothing.
        """
        if self._is_closed:
            return True
        self._is_closed = True
        try:
            answer, _ = self.ask("close", is_over)
            is_clean = bool(answer[1])
        except ExecutorError:
            is_clean = False
        self._link.close()
        os.waitpid(self.pid, 0)
        return is_clean


_spares: list[Supervisor] = []
"""At most one that was started ahead; it ends with this process where nobody takes it."""


def prepare_supervisor() -> None:
    """Start the supervisor of the next job while there is other work to do.

    What goes wrong is told when a job needs one.
    """
    if not _spares:
        with contextlib.suppress(ExecutorError):
            _spares.append(Supervisor())


def take_supervisor() -> Supervisor:
    """Return a supervisor for a job, which closes it.

    Raises:
        ExecutorError: it cannot be started.
    """
    try:
        return _spares.pop()
    except IndexError:
        return Supervisor()


def _start() -> tuple[socket, int]:
    pair = socketpair()
    near, far = (fcntl.fcntl(it.fileno(), fcntl.F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR) for it in pair)
    for it in pair:
        it.close()
    link = socket(fileno=near)
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", "-c", PROGRAM, SOURCES],
            {},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, far, CHANNEL),
            ],
            setsid=True,
        )
    except OSError:
        link.close()
        raise
    finally:
        os.close(far)
    return link, pid
