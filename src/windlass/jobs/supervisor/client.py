"""Windlass's end of a job's supervisor: has it started, asks it for things from any thread.

All supervisors are forks of one process, the fork server, which is an interpreter of its own. It is
started as early as it is known that there will be jobs, and ends with this process.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import os
import select
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

PATIENCE_MILLISECONDS: Final = 500

SOURCES: Final = str(Path(__file__).resolve().parents[3])
PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from windlass.jobs.supervisor.server import main; main()"
)
GONE: Final = "The supervisor of this job was killed, and the job's processes with it"


class Supervisor:
    """A running supervisor. Requests are answered one at a time; signals do not wait for that."""

    def __init__(self) -> None:
        """Have it started.

        Raises:
            ExecutorError: it cannot be started.
        """
        self._sending = threading.Lock()
        self._asking = threading.Lock()
        self._is_gone = self._is_closed = False
        try:
            self._link, self.pid = _fork_supervisor()
            self._end = _watch(self.pid)
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
        if self._end is not None:
            ended = select.poll()
            ended.register(self._end, select.POLLIN)
            ended.poll()
            os.close(self._end)
        return is_clean


class _ForkServer:
    """The process whose forks are supervisors; it belongs to the process that has started it."""

    def __init__(self) -> None:
        """Start it without waiting for it.

        Raises:
            OSError: it cannot be started.
        """
        self.owner = os.getpid()
        self._requests, far = _make_link()
        try:
            self._pid = os.posix_spawn(
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
            self._requests.close()
            raise
        finally:
            os.close(far)

    def fork(self) -> tuple[socket, int]:
        """Return the channel and the id of a new supervisor.

        Raises:
            BrokenPipeError, ConnectionResetError: the server was killed.
            OSError: there may be no more processes, or no more open files.
        """
        link, far = _make_link()
        try:
            channel.send(self._requests, ("start",), [far])
            answer = channel.receive(self._requests)
            word, value = ("refused", errno.EPIPE) if answer is None else answer[0]
            if word == "refused":
                raise OSError(value, os.strerror(value))
        except OSError:
            link.close()
            raise
        finally:
            os.close(far)
        return link, value

    def close(self) -> None:
        """Let it end, unless it is another process's.

        It stays while a supervisor does, and one that nobody has closed stays while we do.
        """
        self._requests.close()
        if self.owner != os.getpid():
            return
        if (descriptor := _watch(self._pid)) is not None:
            ended = select.poll()
            ended.register(descriptor, select.POLLIN)
            ended.poll(PATIENCE_MILLISECONDS)
            os.close(descriptor)
        os.waitpid(self._pid, os.WNOHANG)


_servers: list[_ForkServer] = []
"""At most one."""

_lock = threading.Lock()


def prepare_supervisors() -> None:
    """Start what starts supervisors while there is other work to do.

    What goes wrong is told when a job needs one.
    """
    with _lock, contextlib.suppress(OSError):
        _find_server()


def _find_server() -> _ForkServer:
    """Return the fork server of this process."""
    if _servers and _servers[0].owner != os.getpid():
        _servers.pop().close()
    if not _servers:
        _servers.append(_ForkServer())
    return _servers[0]


@atexit.register
def _close_server() -> None:
    while _servers:
        _servers.pop().close()


def _fork_supervisor() -> tuple[socket, int]:
    """Return the channel and the id of a new supervisor; a server that was killed is replaced."""
    with _lock:
        try:
            return _find_server().fork()
        except (BrokenPipeError, ConnectionResetError):
            _close_server()
            return _find_server().fork()


def _make_link() -> tuple[socket, int]:
    """Return both ends of a channel; the other one is only a number, to be handed on."""
    pair = socketpair()
    near, far = (fcntl.fcntl(it.fileno(), fcntl.F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR) for it in pair)
    for it in pair:
        it.close()
    return socket(fileno=near), far


def _watch(pid: int) -> int | None:
    """Return a file that becomes readable when a process has ended; None where it has already."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None
