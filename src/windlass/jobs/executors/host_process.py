"""One process of a job on this machine, as Windlass sees it: its output, its end, signals to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import termios
import threading
from typing import TYPE_CHECKING, ClassVar, Final

from windlass.errors import ExecutorError
from windlass.jobs.supervisor.client import GONE, UnansweredError
from windlass.jobs.supervisor.spool import Spool, make_segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.supervisor.client import Supervisor

BLOCK_BYTES: Final = 1 << 18
CODE_BYTES: Final = 4
PIPE_BYTES: Final = 1 << 20


class HostProcess:
    """One step's process tree: a session, whose leader is the program that was started."""

    gone: ClassVar[str] = GONE
    """What is said where nobody can tell how it ended."""

    def __init__(
        self,
        number: int,
        supervisor: Supervisor,
        *,
        keeps: bool,
        end_orphans: Callable[[], None],
        forget: Callable[[int], None],
    ) -> None:
        """Take what ends the job's processes without the supervisor, and who hears of the end.

        Where it `keeps`, what is printed stays until it is in the log, even when Windlass dies.
        """
        self.number = number
        self.pid = 0
        self._keeps = keeps
        self._end_orphans = end_orphans
        self._forget = forget
        self._supervisor = supervisor
        self._spool: Spool | None = None
        self._output = self._ended = -1
        self._poll = select.poll()
        self._remaining: int | None = None
        self._released = 0
        self._is_over = False
        self._exit_code: int | None = None
        # Several may wait for the end, one of them after reading.
        self._lock = threading.Lock()

    def start(
        self,
        program: bytes,
        arguments: list[bytes],
        variables: bytes,
        folder: str,
        step: str,
    ) -> None:
        """Start the program; `pid` is then the id of its process, session and process group.

        `variables` are `NAME=value`, with NULs between. A supervisor that is killed meanwhile may
        have started the program: then `wait` tells of that, after what it has printed.

        Raises:
            OSError: the program could not be started.
            ExecutorError: the supervisor is gone.
        """
        place = os.fsencode(folder)
        with contextlib.ExitStack() as theirs:
            files = self._make_files(theirs)
            try:
                answer = self._supervisor.ask(
                    "start", self.number, step, program, arguments, variables, place, files=files
                )
            except UnansweredError:
                answer = ("started", 0)
        if answer[0] == "refused":
            raise OSError(answer[1], os.strerror(answer[1]))
        self.pid = answer[1]
        self._poll.register(self._output, select.POLLIN)
        self._poll.register(self._ended, select.POLLIN)

    def _make_files(self, theirs: contextlib.ExitStack) -> list[int]:
        """Make what the process prints to and what tells its end; return what the supervisor gets.

        `theirs` closes what we have no use for.

        Raises:
            OSError: there may be no more open files, or no memory is left.
        """
        self._output, writer = os.pipe()
        theirs.callback(os.close, writer)
        widen(writer)
        self._ended, teller = os.pipe()
        theirs.callback(os.close, teller)
        if not self._keeps:
            return [self._output, writer, teller]
        segment = make_segment()
        self._spool = Spool(segment, self._hand_over, self._drop)
        return [self._output, writer, teller, segment]

    def read(self) -> bytes:
        """Return the next block; b"" once all writers are gone or the first process has ended.

        Raises:
            OSError: the block cannot be kept until it is in the log.
        """
        if self._remaining is None:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            if self._output in ready and self._ended not in ready:
                return self._take(BLOCK_BYTES) or self._stop_reading()
            # The first process is gone: only what the pipe holds now is still its output.
            with self._lock:
                self._learn_end()
            self._remaining = _bytes_in(self._output)
        if self._remaining <= 0:
            return self._stop_reading()
        block = self._take(min(self._remaining, BLOCK_BYTES))
        self._remaining -= len(block)
        return block or self._stop_reading()

    def release(self, offset: int) -> None:
        """Keep what was printed before no longer."""
        self._released = offset
        if self._spool is not None:
            self._spool.release(offset)

    def wait(self) -> int:
        """Return the exit code as a shell has it, waiting for the first process to end.

        Raises:
            ExecutorError: the supervisor is gone.
        """
        with self._lock:
            self._learn_end()
            self._forget_output()
            if self._exit_code is None:
                raise ExecutorError(self.gone)
            return self._exit_code

    def interrupt(self) -> None:
        """Send SIGINT to the process group."""
        self._signal(signal.SIGINT)

    def terminate(self) -> None:
        """Send SIGTERM to the process group."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the process group and to all below the first process."""
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Forget the process, which has ended, and what of its output was kept."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None
        for descriptor in (self._output, self._ended):
            if descriptor >= 0:
                os.close(descriptor)
        self._output = self._ended = -1
        self._forget(self.number)

    def __del__(self) -> None:
        """Close what nobody has read to its end."""
        if self._output >= 0:
            self.close()

    def _learn_end(self) -> None:
        """Wait for the end of the first process; without a supervisor nobody can tell how it was.

        Then all of the job's processes are ended before the last of their output is read.
        """
        if self._is_over:
            return
        if code := os.read(self._ended, CODE_BYTES):
            self._exit_code = int.from_bytes(code, "little")
        else:
            self._end_orphans()
        self._is_over = True

    def _hand_over(self, segment: int, file: int) -> None:
        self._supervisor.tell("spool", self.number, segment, files=[file])

    def _drop(self, segment: int) -> None:
        self._supervisor.tell("drop", self.number, segment)

    def _take(self, most: int) -> bytes:
        if self._spool is not None:
            return self._spool.take(self._output, most)
        return os.read(self._output, most)

    def _forget_output(self) -> None:
        """Leave to the supervisor what may still be printed, once all before it is in the log."""
        if (
            self._output >= 0
            and self._remaining == 0
            and (self._spool is None or self._spool.end == self._released)
        ):
            self.close()
            self._supervisor.tell("release", self.number)

    def _signal(self, number: signal.Signals) -> None:
        self._supervisor.tell("signal", self.number, int(number))

    def _stop_reading(self) -> bytes:
        self._remaining = 0
        return b""


def widen(pipe: int) -> None:
    """Ask for a larger pipe, so that a chatty step waits less often; the system may refuse."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _bytes_in(pipe: int) -> int:
    counter = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, counter)
    return int.from_bytes(counter, "little")
