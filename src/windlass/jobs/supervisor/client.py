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
from windlass.jobs.supervisor.presence import name_process

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


class UnansweredError(ExecutorError):
    """The supervisor was killed after it was asked for something."""


class Supervisor:
    """The supervisor of one job. Requests are answered one at a time; signals do not wait."""

    def __init__(self, process: SupervisorProcess | None = None) -> None:
        """Have this process look after the job, else one that is idle, else a new one.

        Raises:
            ExecutorError: none can be started.
        """
        self._sending = threading.Lock()
        self._asking = threading.Lock()
        self._is_gone = self._is_closed = False
        try:
            with _lock:
                self._process = process or _take_idle() or _fork_supervisor()
        except OSError as error:
            raise ExecutorError(
                f"The supervisor of the job cannot be started with {sys.executable}: "
                f"{error.strerror}"
            ) from error
        self.pid = self._process.pid

    @property
    def identity(self) -> tuple[int, int]:
        """Its process as it is written down, see `windlass.jobs.supervisor.presence`."""
        return self._process.identity

    def tell(self, *message: Any, files: Sequence[int] = ()) -> None:
        """Send what needs no answer, with open files; nothing is sent once it was closed.

        A supervisor that is gone is noticed by who waits for it.
        """
        try:
            with self._sending:
                if not self._is_gone:
                    channel.send(self._process.link, message, files)
        except OSError:
            self._is_gone = True

    def ask(self, *message: Any, files: Sequence[int] = ()) -> channel.Message:
        """Send a request, with open files, and return the answer.

        Raises:
            UnansweredError: the supervisor was killed; it may have done what it was asked for.
            ExecutorError: the supervisor is gone.
        """
        return self._exchange(message, files)[0]

    def ask_for_file(self, *message: Any) -> int:
        """Send a request and return the open file that is the answer.

        Raises:
            ExecutorError: the supervisor is gone, or the machine has refused it the file.
        """
        answer, files = self._exchange(message, ())
        if not files:
            raise ExecutorError(f"The supervisor of the job was refused: {os.strerror(answer[1])}")
        return files[0]

    def _exchange(
        self, message: Sequence[Any], files: Sequence[int]
    ) -> tuple[channel.Message, list[int]]:
        with self._asking:
            self.tell(*message, files=files)
            if self._is_gone:
                raise ExecutorError(GONE)
            try:
                answer = channel.receive(self._process.link)
            except OSError:
                answer = None
            if answer is None:
                self._is_gone = True
                raise UnansweredError(GONE)
            return answer

    def await_end(self) -> None:
        """Wait until its process, which is dying, has ended."""
        self._process.await_end()

    def close(self, *, is_over: bool) -> bool:
        """Let it end the job's processes and go; False where it cannot say that it has.

        `is_over` tells that all output is in the log, so that nothing of the job is left to do:
        the supervisor may then look after another. A second call does nothing.
        """
        if self._is_closed:
            return True
        self._is_closed = True
        is_clean = stays = False
        with contextlib.suppress(ExecutorError):
            _, is_clean, stays = self.ask("close", is_over)
        with self._sending:
            self._is_gone = True
        if stays:
            with _lock:
                _idle.append(self._process)
        else:
            self._process.dismiss()
        return is_clean


class SupervisorProcess:
    """The process of a supervisor, and the channel to it."""

    def __init__(self, link: socket, pid: int) -> None:
        """Take what the fork server has told.

        Raises:
            OSError: there may be no more open files.
        """
        self.owner = os.getpid()
        self._ending = threading.Lock()
        self.link = link
        self.pid = pid
        self.identity = name_process(pid)
        self._end = _watch(pid)

    @property
    def is_alive(self) -> bool:
        return self._end is not None and not _await(self._end, 0)

    def await_end(self) -> None:
        """Wait until it has ended, unless it is another process's."""
        with self._ending:
            if self._end is not None and self.owner == os.getpid():
                _await(self._end)

    def dismiss(self) -> None:
        """Let it go, and wait until it has ended, unless it is another process's."""
        self.link.close()
        self.await_end()
        with self._ending:
            if self._end is not None:
                os.close(self._end)
                self._end = None


class _ForkServer:
    """The process whose forks are supervisors; it belongs to the process that has started it."""

    def __init__(self) -> None:
        """Start it without waiting for it.

        Raises:
            OSError: it cannot be started.
        """
        self.owner = os.getpid()
        self._requests, far = make_link()
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
        link, far = make_link()
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
            _await(descriptor, PATIENCE_MILLISECONDS)
            os.close(descriptor)
        os.waitpid(self._pid, os.WNOHANG)


_servers: list[_ForkServer] = []
"""At most one."""

_idle: list[SupervisorProcess] = []
"""Supervisors whose jobs have ended."""

_lock = threading.Lock()


def prepare_supervisors() -> None:
    """Start what starts supervisors while there is other work to do.

    What goes wrong is told when a job needs one.
    """
    with _lock, contextlib.suppress(OSError):
        _find_server()


def lend_supervisor() -> tuple[socket, int]:
    """Have a supervisor started that a fork of this process is to take: its channel and its id.

    Raises:
        OSError: none can be started.
    """
    with _lock:
        return _start_supervisor()


def take_supervisor(link: socket, pid: int) -> None:
    """Have a supervisor, which the process has lent of which this one is a fork.

    Raises:
        OSError: there may be no more open files.
    """
    leave_supervisors()
    _idle.append(SupervisorProcess(link, pid))


def leave_supervisors() -> None:
    """Have nothing to do any more with those of the process of which this one is a fork."""
    while _idle:
        _idle.pop().link.close()
    while _servers:
        _servers.pop().close()


def _find_server() -> _ForkServer:
    """Return the fork server of this process."""
    if _servers and _servers[0].owner != os.getpid():
        _servers.pop().close()
    if not _servers:
        _servers.append(_ForkServer())
    return _servers[0]


@atexit.register
def _close_server() -> None:
    while _idle:
        _idle.pop().dismiss()
    while _servers:
        _servers.pop().close()


def _take_idle() -> SupervisorProcess | None:
    """Return a supervisor of this process that has no job and that nobody has killed."""
    while _idle:
        found = _idle.pop()
        if found.owner == os.getpid() and found.is_alive:
            return found
        found.dismiss()
    return None


def _fork_supervisor() -> SupervisorProcess:
    """Return a new supervisor."""
    return SupervisorProcess(*_start_supervisor())


def _start_supervisor() -> tuple[socket, int]:
    """Have a supervisor started; a server that was killed is replaced."""
    try:
        return _find_server().fork()
    except (BrokenPipeError, ConnectionResetError):
        _close_server()
        return _find_server().fork()


def make_link() -> tuple[socket, int]:
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


def _await(end: int, milliseconds: int | None = None) -> bool:
    """Wait for an end that is watched; tell whether it has come."""
    ended = select.poll()
    ended.register(end, select.POLLIN)
    return bool(ended.poll(milliseconds))
