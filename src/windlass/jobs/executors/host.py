"""Runs a job's processes on this machine, below a supervisor of the job's own.

Whatever a step starts stays below the supervisor and ends with the job. Only where the supervisor
itself was killed are the job's processes looked for by the variable RUNNER_TRACKING_ID, as GitHub's
runner does it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import sys
import threading
from typing import TYPE_CHECKING, Final, TypeVar

from windlass.errors import ExecutorError, PlatformError
from windlass.jobs.boot import read_boot
from windlass.jobs.executors.host_process import HostProcess
from windlass.jobs.executors.strays import Marks, end_strays, now_in_ticks
from windlass.jobs.supervisor.client import Supervisor
from windlass.jobs.supervisor.presence import NAME, Presence, name_self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from windlass.jobs.executors.interface import DockerNeed, JobRequest
    from windlass.lang.expressions import Value

_AnyProcess = TypeVar("_AnyProcess", bound=HostProcess)

TRACKING_VARIABLE: Final = "RUNNER_TRACKING_ID"
LOOPBACK: Final = "127.0.0.1"


class HostExecutor:
    """The machine Windlass itself runs on."""

    name = "host"

    def open(self, request: JobRequest) -> HostSession:
        """Return the place for one job; its supervisor is starting.

        Raises:
            ExecutorError: this is not Linux, or its kernel is older than 5.3; or the supervisor
                cannot be started.
        """
        require_linux()
        return HostSession(Supervisor(), request)


def require_linux() -> None:
    """Check that processes can be watched here.

    Raises:
        ExecutorError: this is not Linux, or its kernel is older than 5.3.
    """
    if not hasattr(os, "pidfd_open"):
        raise ExecutorError(
            "jobs run on the host and in the sandbox on Linux only (kernel 5.3 or newer)",
            hint="use the container executor on this machine",
        )


class HostSession:
    """The processes of one job."""

    def __init__(self, supervisor: Supervisor, request: JobRequest) -> None:
        self.folders = request.folders
        self.facts: Mapping[str, Value] = {}
        self.address = LOOPBACK
        self.variables: Mapping[str, str] | None = None
        self._folder = folder = request.record
        self._lock = threading.Lock()
        self._count = 0
        self._unread: dict[int, None] = {}
        self._sessions: set[int] = set()
        self._is_closed = False
        self._tracking: set[str] = set()
        self._has_overlay = False
        self._is_present = False
        self._opened = now_in_ticks()
        self._supervisor = supervisor
        if folder is not None:
            self._begin(folder)

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
            PlatformError: it cannot be written down that something runs.
        """
        self._track(variables.get(TRACKING_VARIABLE))
        process = self._make_process(HostProcess)
        with starting(process, arguments[0], folder):
            program = self._find(arguments[0], variables)
            process.start(program, _encode(arguments), _encode_variables(variables), folder, step)
        if process.pid:
            self._sessions.add(process.pid)
        return process

    def find_program(self, name: str, *, search_path: str) -> str | None:
        """Return the full path of a program; a name that is a full path stands for itself."""
        if name.startswith("/"):
            return name if is_program(name) else None
        for entry in search_path.split(":"):
            if entry and is_program(path := f"{entry.rstrip('/')}/{name}"):
                return path
        return None

    def hide(self, texts: Sequence[str]) -> None:
        """Tell the supervisor, which may have to write the end of the log."""
        self._supervisor.tell("mask", list(texts))

    def guard(self, container: str, address: str) -> None:
        """Have a container of the daemon at an address removed, should Windlass die."""
        self._supervisor.tell("guard", container, address, list(sys.path))

    def unguard(self, container: str) -> None:
        """The container has been removed."""
        self._supervisor.tell("guard", container, "", list(sys.path))

    def listen(self) -> int | None:
        """Return None: the job's processes reach what listens on this machine."""
        return None

    def overlay(self, lower: Path, upper: Path, work: Path, target: Path) -> bool:
        """Mount an overlay in the mount namespace of the supervisor."""
        paths = [os.fsencode(path) for path in (lower, upper, work, target)]
        answer = self._supervisor.ask("overlay", *paths)
        mounted: bool = answer[0] == "mounted"
        self._has_overlay = self._has_overlay or mounted
        return mounted

    def see(self, path: Path) -> Path:
        """Look through the supervisor's root where the job has mounts of its own."""
        if not self._has_overlay:
            return path
        return type(path)(f"/proc/{self._supervisor.pid}/root{path}")

    def keep_still(self) -> contextlib.AbstractContextManager[None]:
        """Let them go on: they may do what Windlass may do."""
        return contextlib.nullcontext()

    def provide_docker(self, need: DockerNeed) -> None:
        """Leave it to this machine, which has a daemon or has none."""

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

    def _begin(self, folder: Path, files: Sequence[int] = ()) -> None:
        """Tell the supervisor where the log is; in place of its name an open folder may count."""
        ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._supervisor.tell(
            "begin", os.fspath(folder), list(sys.path), ignores_hangup, files=files
        )

    def _make_process(self, kind: type[_AnyProcess]) -> _AnyProcess:
        """Return a process of a kind, with the next number, which is to be started."""
        with self._lock:
            self._count += 1
            process = kind(
                self._count,
                self._supervisor,
                keeps=self._folder is not None,
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

    def _track(self, tracking: str | None) -> None:
        """Write down by what the process that is to start can be found.

        Raises:
            PlatformError: the file system refused.
        """
        with self._lock:
            is_known = tracking is None or tracking in self._tracking
            if tracking is not None:
                self._tracking.add(tracking)
            if self._folder is None or (is_known and self._is_present):
                return
            try:
                self._write_presence(self._folder)
            except OSError as error:
                raise PlatformError(
                    f"The folder {self._folder} for the log of the job cannot be written: "
                    f"{error.strerror}"
                ) from error
            self._is_present = True

    def _write_presence(self, folder: Path) -> None:
        Presence(
            boot=read_boot(),
            since=self._opened,
            windlass=name_self(),
            supervisor=self._supervisor.identity,
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


@contextlib.contextmanager
def starting(process: HostProcess, program: str, folder: str) -> Iterator[None]:
    """Close a process that cannot be started, and say why.

    Raises:
        ExecutorError: with .NET's words for what the system refused.
    """
    try:
        yield
    except ExecutorError:
        process.close()
        raise
    except (OSError, ValueError) as error:
        process.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ExecutorError(
            f"An error occurred trying to start process '{program}' with working "
            f"directory '{folder}'. {reason}"
        ) from error


def is_program(path: str) -> bool:
    """Tell whether a path is a file that this user may execute."""
    try:
        is_file = stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - for each entry of PATH
    except (OSError, ValueError):
        return False
    return is_file and os.access(path, os.X_OK)


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
