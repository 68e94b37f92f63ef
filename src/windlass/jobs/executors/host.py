"""Runs a job's processes on this machine, each step in a session of its own.

A step's first process is not reaped before the job ends. Its id therefore stays ours, and a signal
to its process group never reaches a stranger. Whatever left that group is found at the end by the
variable RUNNER_TRACKING_ID, as GitHub's runner finds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios
import threading
from typing import TYPE_CHECKING

from windlass.errors import ExecutorError
from windlass.jobs.executors.strays import Marks, end_strays, now_in_ticks
from windlass.jobs.executors.watchdog import watchdog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TRACKING_VARIABLE = "RUNNER_TRACKING_ID"
BLOCK_BYTES = 1 << 16
PIPE_BYTES = 1 << 20
F_SETPIPE_SZ = 1031


class HostExecutor:
    """The machine Windlass itself runs on."""

    name = "host"

    def open(self, job_key: str) -> HostSession:  # noqa: ARG002 - one host serves every job
        """Return the place for one job.

        Raises:
            ExecutorError: this is not Linux, or its kernel is older than 5.3.
        """
        if not hasattr(os, "pidfd_open"):
            raise ExecutorError(
                "jobs run on the host on Linux only (kernel 5.3 or newer)",
                hint="use the container executor on this machine",
            )
        return HostSession()


class HostSession:
    """The processes of one job."""

    def __init__(self) -> None:
        self._processes: list[HostProcess] = []
        self._tracking: set[str] = set()
        self._opened = now_in_ticks()

    def spawn(
        self, arguments: Sequence[str], *, variables: Mapping[str, str], folder: str
    ) -> HostProcess:
        """Start a program as the leader of a new session, without standard input.

        Raises:
            ExecutorError: with .NET's words, which are those of GitHub's runner.
        """
        try:
            process = HostProcess(arguments, variables, folder)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ExecutorError(
                f"An error occurred trying to start process '{arguments[0]}' with working "
                f"directory '{folder}'. {reason}"
            ) from error
        self._processes.append(process)
        watchdog().watch(process.pid)
        if tracking := variables.get(TRACKING_VARIABLE):
            self._tracking.add(tracking)
        return process

    def find_program(self, name: str, *, search_path: str) -> str | None:
        """Return the full path of a program; a name that is a full path stands for itself."""
        candidates = (
            [name]
            if name.startswith("/")
            else [os.path.join(entry, name) for entry in search_path.split(":") if entry]  # noqa: PTH118 - a name may be any text
        )
        return next(
            (path for path in candidates if os.path.isfile(path) and os.access(path, os.X_OK)),  # noqa: PTH113
            None,
        )

    def close(self) -> None:
        """Kill what the steps left running, wait for its end, then reap their first processes."""
        for process in self._processes:
            process.kill()
        if self._processes:
            end_strays(
                Marks(
                    sessions={process.pid for process in self._processes},
                    variables={f"{TRACKING_VARIABLE}={it}".encode() for it in self._tracking},
                    since=self._opened,
                )
            )
        for process in self._processes:
            watchdog().forget(process.pid)
            process.reap()
        self._processes.clear()


class HostProcess:
    """One step's process tree: a session, whose leader is the program that was started."""

    def __init__(self, arguments: Sequence[str], variables: Mapping[str, str], folder: str) -> None:
        self._output, writer = os.pipe()
        try:
            _widen(writer)
            self._popen = subprocess.Popen(
                arguments,
                env=variables,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                start_new_session=True,
            )
        except BaseException:
            os.close(self._output)
            raise
        finally:
            os.close(writer)
        self._ended = os.pidfd_open(self._popen.pid)
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        self._poll.register(self._ended, select.POLLIN)
        self._remaining: int | None = None
        # Signals come from other threads; none may be sent once the id is given back.
        self._lock = threading.Lock()
        self._open = True

    def read(self) -> bytes:
        """Return the next block; b"" once all writers are gone or the first process has ended."""
        if self._remaining is None:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            if self._output in ready and self._ended not in ready:
                block = os.read(self._output, BLOCK_BYTES)
                return block or self._stop_reading()
            # The first process is gone: only what the pipe holds now is still its output.
            self._remaining = _bytes_in(self._output)
        if self._remaining <= 0:
            return self._stop_reading()
        block = os.read(self._output, min(self._remaining, BLOCK_BYTES))
        self._remaining -= len(block)
        return block or self._stop_reading()

    @property
    def pid(self) -> int:
        """The id of the first process, and of its session and process group."""
        return self._popen.pid

    def wait(self) -> int:
        """Return the exit code as a shell has it, waiting for the first process to end."""
        ended = os.waitid(os.P_PIDFD, self._ended, os.WEXITED | os.WNOWAIT)
        if ended is None:
            raise ExecutorError("a process ended, but the system does not say how")
        if ended.si_code == os.CLD_EXITED:
            return ended.si_status
        return 128 + ended.si_status

    def interrupt(self) -> None:
        """Send SIGINT to the process group."""
        self._signal(signal.SIGINT)

    def terminate(self) -> None:
        """Send SIGTERM to the process group."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the process group."""
        self._signal(signal.SIGKILL)

    def reap(self) -> None:
        """Give the process's id back to the system; nothing can be done with it afterwards."""
        with self._lock:
            self._open = False
            self._popen.wait()
        os.close(self._output)
        os.close(self._ended)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if self._open:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, number)

    def _stop_reading(self) -> bytes:
        self._remaining = 0
        return b""


def _bytes_in(pipe: int) -> int:
    counter = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, counter)
    return int.from_bytes(counter, "little")


def _widen(pipe: int) -> None:
    """Ask for a larger pipe, so that a chatty step waits less often; the system may refuse."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, F_SETPIPE_SZ, PIPE_BYTES)
