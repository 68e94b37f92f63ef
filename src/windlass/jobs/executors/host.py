"""Runs a job's processes on this machine, below a supervisor of the job's own.

Whatever a step starts stays below the supervisor and ends with the job. Only where the supervisor
itself was killed are the job's processes looked for by the variable RUNNER_TRACKING_ID, as GitHub's
runner does it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import sys
import termios
import threading
from typing import TYPE_CHECKING, Final

from windlass.errors import ExecutorError, PlatformError
from windlass.jobs.executors.strays import Marks, end_strays, now_in_ticks
from windlass.jobs.supervisor.client import GONE, Supervisor
from windlass.jobs.supervisor.presence import (
    NAME,
    Presence,
    name_process,
    name_self,
    read_boot,
)
from windlass.jobs.supervisor.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

TRACKING_VARIABLE: Final = "RUNNER_TRACKING_ID"
BLOCK_BYTES: Final = 1 << 18
CODE_BYTES: Final = 4


class HostExecutor:
    """The machine Windlass itself runs on."""

    name = "host"

    def open(self, job_key: str, folder: Path | None = None) -> HostSession:  # noqa: ARG002
        """Return the place for one job; its supervisor is starting.

        Raises:
            ExecutorError: this is not Linux, or its kernel is older than 5.3; or the supervisor
                cannot be started.
        """
        if not hasattr(os, "pidfd_open"):
            raise ExecutorError(
                "jobs run on the host on Linux only (kernel 5.3 or newer)",
                hint="use the container executor on this machine",
            )
        return HostSession(Supervisor(), folder)


class HostSession:
    """The processes of one job."""

    def __init__(self, supervisor: Supervisor, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._count = 0
        self._unread: dict[int, None] = {}
        self._sessions: set[int] = set()
        self._is_closed = False
        self._tracking: set[str] = set()
        self._has_overlay = False
        self._opened = now_in_ticks()
        self._supervisor = supervisor
        if folder is not None:
            ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            self._begin(folder, ignores_hangup=ignores_hangup)

    def spawn(
        self,
        arguments: Sequence[str],
        *,
        variables: Mapping[str, str],
        folder: str,
        step: str = "",
    ) -> HostProcess:
        """Start a program as the leader of a new session, without standard input.

        Raises:
            ExecutorError: with .NET's words, which are those of GitHub's runner; or the supervisor
                was killed.
        """
        self._track(variables.get(TRACKING_VARIABLE))
        process = self._make_process()
        try:
            program = self._find(arguments[0], variables)
            process.start(program, _encode(arguments), _encode_variables(variables), folder, step)
        except ExecutorError:
            process.close()
            raise
        except (OSError, ValueError) as error:
            process.close()
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ExecutorError(
                f"An error occurred trying to start process '{arguments[0]}' with working "
                f"directory '{folder}'. {reason}"
            ) from error
        self._sessions.add(process.pid)
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

    def hide(self, texts: Sequence[str]) -> None:
        """Tell the supervisor, which may have to write the end of the log."""
        self._supervisor.tell("mask", list(texts))

    def overlay(self, lower: Path, upper: Path, work: Path, target: Path) -> bool:
        """Mount an overlay in the mount namespace of the supervisor."""
        paths = [os.fsencode(path) for path in (lower, upper, work, target)]
        answer, _ = self._supervisor.ask("overlay", *paths)
        mounted: bool = answer[0] == "mounted"
        self._has_overlay = self._has_overlay or mounted
        return mounted

    def see(self, path: Path) -> Path:
        """Look through the supervisor's root where the job has mounts of its own."""
        if not self._has_overlay:
            return path
        return type(path)(f"/proc/{self._supervisor.pid}/root{path}")

    def close(self) -> None:
        """Kill what the steps left running and wait for its end.

        What was printed before can still be read.
        """
        with self._lock:
            is_over = not self._unread
        if not self._supervisor.close(is_over=is_over):
            self._end_orphans()
        with self._lock:
            self._is_closed = True
            self._leave()

    def _make_process(self) -> HostProcess:
        with self._lock:
            self._count += 1
            process = HostProcess(
                self._count,
                self._supervisor,
                end_orphans=self._end_orphans,
                forget=self._forget,
            )
            self._unread[self._count] = None
        return process

    def _forget(self, number: int) -> None:
        """A process has ended and its output is in the log."""
        with self._lock:
            self._unread.pop(number, None)
            self._leave()

    def _leave(self) -> None:
        """Once nothing is left to be done for the job, say so."""
        if self._folder is not None and self._is_closed and not self._unread:
            with contextlib.suppress(OSError):
                (self._folder / NAME).unlink()

    def _find(self, name: str, variables: Mapping[str, str]) -> bytes:
        if "/" in name:
            return _encode([name])[0]
        found = self.find_program(name, search_path=variables.get("PATH", ""))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return _encode([found])[0]

    def _begin(self, folder: Path, *, ignores_hangup: bool) -> None:
        # Told before it is written down: whoever finds the file may rely on the supervisor.
        self._supervisor.tell("begin", os.fspath(folder), list(sys.path), ignores_hangup)
        try:
            self._write_presence(folder)
        except OSError as error:
            self._supervisor.close(is_over=True)
            raise PlatformError(
                f"The folder {folder} for the log of the job cannot be written: {error.strerror}"
            ) from error

    def _track(self, tracking: str | None) -> None:
        if tracking is None or tracking in self._tracking:
            return
        self._tracking.add(tracking)
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._write_presence(self._folder)

    def _write_presence(self, folder: Path) -> None:
        Presence(
            boot=read_boot(),
            since=self._opened,
            windlass=name_self(),
            supervisor=name_process(self._supervisor.pid),
            tracking=tuple(sorted(self._tracking)),
        ).write(folder)

    def _end_orphans(self) -> None:
        """The supervisor was killed: find by their marks what it looked after."""
        end_strays(
            Marks(
                sessions=self._sessions,
                variables={f"{TRACKING_VARIABLE}={it}".encode() for it in self._tracking},
                since=self._opened,
            )
        )


class HostProcess:
    """One step's process tree: a session, whose leader is the program that was started."""

    def __init__(
        self,
        number: int,
        supervisor: Supervisor,
        *,
        end_orphans: Callable[[], None],
        forget: Callable[[int], None],
    ) -> None:
        """Take what ends the job's processes without the supervisor, and who hears of the end."""
        self.number = number
        self.pid = 0
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

        `variables` are `NAME=value`, with NULs between.

        Raises:
            OSError: the program could not be started.
            ExecutorError: the supervisor is gone.
        """
        place = os.fsencode(folder)
        answer, files = self._supervisor.ask(
            "start", self.number, step, program, arguments, variables, place
        )
        if answer[0] == "refused":
            raise OSError(answer[1], os.strerror(answer[1]))
        self.pid = answer[1]
        self._output, self._ended, *segments = files
        for segment in segments:
            self._spool = Spool(segment, self._hand_over, self._drop)
        self._poll.register(self._output, select.POLLIN)
        self._poll.register(self._ended, select.POLLIN)

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
                raise ExecutorError(GONE)
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


def _encode(arguments: Sequence[str]) -> list[bytes]:
    encoded = [os.fsencode(argument) for argument in arguments]
    if any(b"\0" in argument for argument in encoded):
        raise ValueError("embedded null byte")
    return encoded


def _encode_variables(variables: Mapping[str, str]) -> bytes:
    """Return `NAME=value` for each variable, with NULs between: encoded at once, it is cheap."""
    if any("=" in name or not name for name in variables):
        raise ValueError("illegal environment variable name")
    text = "\0".join([f"{name}={value}" for name, value in variables.items()])
    if text.count("\0") >= max(1, len(variables)):
        raise ValueError("embedded null byte")
    return os.fsencode(text)


def _bytes_in(pipe: int) -> int:
    counter = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, counter)
    return int.from_bytes(counter, "little")
