"""One process of a job in a container: started by its shell, read and kept as on this machine."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import ExecutorError
from windlass.jobs.executors.host_process import HostProcess, widen
from windlass.jobs.supervisor.spool import Spool, make_segment

if TYPE_CHECKING:
    from windlass.jobs.executors.docker_session import Shell, Slot

ENDED: Final = "The container of this job has ended, and the job's processes with it"
_BLOCK_BYTES: Final = 1 << 12


class DockerProcess(HostProcess):
    """A step's process tree in a container; `pid` is its number there."""

    gone = ENDED
    _slot: Slot | None = None
    _shell: Shell | None = None
    _heard = b""

    def launch(self, shell: Shell, script: bytes, step: str) -> None:
        """Have the script of a step run; `pid` is then the process it runs as.

        Raises:
            OSError: the program or the folder is not there, or the machine refused.
            ExecutorError: the container has ended.
        """
        self._shell = shell
        base = shell.control / str(self.number)
        paths = [base, Path(f"{base}.out"), Path(f"{base}.end")]
        for path in paths:
            shell.make_fifo(path)
        try:
            self._open_files(paths, step)
            self._slot = shell.take_slot()
            self._slot.run(self.number)
            self._hand_in(paths[0], script)
            self._learn_start()
        finally:
            for path in paths:
                path.unlink()

    def _open_files(self, paths: list[Path], step: str) -> None:
        self._output = os.open(paths[1], os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(self._output, True)
        widen(self._output)
        self._ended = os.open(paths[2], os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        files = [self._output]
        if self._keeps:
            segment = make_segment()
            self._spool = Spool(segment, self._hand_over, self._drop)
            files.append(segment)
        self._supervisor.tell("follow", self.number, step, files=files)

    def _hand_in(self, path: Path, script: bytes) -> None:
        """Write the script to whoever reads it; a long one as fast as that goes."""
        writer = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            widen(writer)
            rest = memoryview(script)
            while rest:
                self._await(writer, select.POLLOUT)
                with contextlib.suppress(BlockingIOError):
                    rest = rest[os.write(writer, rest) :]
            # Nobody may have opened it yet: it would be empty again.
            self._await(self._ended, select.POLLIN)
        finally:
            os.close(writer)

    def _learn_start(self) -> None:
        line = self._hear()
        if line is None:
            raise ExecutorError(ENDED)
        if line.startswith(b"!"):
            self._hear()
            self._leave_slot()
            number = int(line[1:])
            raise OSError(number, os.strerror(number))
        self.pid = int(line)
        self._poll.register(self._output, select.POLLIN)
        self._poll.register(self._ended, select.POLLIN)

    def _hear(self) -> bytes | None:
        """Return the next line of what is said of the process; None where nobody is left to."""
        os.set_blocking(self._ended, True)
        while b"\n" not in self._heard:
            block = os.read(self._ended, _BLOCK_BYTES)
            if not block:
                return None
            self._heard += block
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    def _await(self, file: int, event: int) -> None:
        """Wait until a file is ready.

        Raises:
            ExecutorError: the container has ended.
        """
        shell = self._shell
        poll = select.poll()
        poll.register(file, event)
        if shell is not None:
            poll.register(shell.link, select.POLLIN)
        if file not in {descriptor for descriptor, _ in poll.poll()}:
            raise ExecutorError(ENDED)

    def _learn_end(self) -> None:
        if self._is_over:
            return
        line = self._hear()
        if line is None:
            self._end_orphans()
        else:
            self._exit_code = int(line)
            self._leave_slot()
        self._is_over = True

    def _leave_slot(self) -> None:
        if self._slot is not None and self._shell is not None:
            self._shell.give_back(self._slot)
            self._slot = None

    def _signal(self, number: signal.Signals) -> None:
        if self._shell is None or self._is_over:
            return
        if number == signal.SIGKILL:
            self._shell.say(f"tree {self.pid}")
        else:
            self._shell.say(f"signal {number.name.removeprefix('SIG')} {self.pid}")
