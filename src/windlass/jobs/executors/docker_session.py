"""The container in which a job's steps run, and the shell in it that starts them."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import threading
from typing import TYPE_CHECKING, Final

from windlass.docker.containers import pause_container, remove_container, resume_container
from windlass.docker.executions import run_in_container
from windlass.errors import DockerError, ExecutorError
from windlass.jobs.containers.labels import own_labels
from windlass.jobs.executors.docker_layout import CONTROL
from windlass.jobs.executors.docker_process import DockerProcess
from windlass.jobs.executors.docker_shell import FIND, write_step
from windlass.jobs.executors.docker_variables import PRELOAD, arrange_variables
from windlass.jobs.executors.host import TRACKING_VARIABLE, HostSession, starting
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from windlass.docker.engine import Engine
    from windlass.docker.streams import Stream
    from windlass.jobs.containers.daemon import JobDaemon
    from windlass.jobs.executors.docker_layout import ContainerLayout
    from windlass.jobs.executors.docker_user import OtherUser
    from windlass.jobs.executors.interface import DockerNeed, JobRequest
    from windlass.jobs.supervisor.client import Supervisor
    from windlass.lang.expressions import Value

SLOT: Final = "slot"
FIRST_SLOT: Final = f"{SLOT}1"
MOST_BYTES: Final = 131_071
"""What a variable or an argument may have: MAX_ARG_STRLEN of Linux, without its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A job's container: its id, the user its processes are, its variables, its programs.

    `programs` are full paths by name, on the PATH of `variables`; `shell` are the words that start
    the shell which starts all else; `address` is that of this machine as the container finds it;
    `pid` is the first process, as the daemon's machine numbers it;
    `network` and `binds` are what the daemon was told of its network and its folders.
    """

    id: str
    pid: int
    is_root: bool
    variables: Mapping[str, str]
    programs: Mapping[str, str]
    shell: Sequence[str]
    address: str
    network: str
    binds: Sequence[str]
    facts: Mapping[str, Value]


class Slot:
    """A shell in the container that runs one step at a time."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def run(self, number: int) -> None:
        """Let it run the script of that number."""
        os.write(self._file, b"%d\n" % number)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)


class Shell:
    """The container's first process, as Windlass speaks to it; may be used by several threads."""

    def __init__(self, stream: Stream, control: Path, *, is_root: bool) -> None:
        self.control = control
        self.link = stream.socket.fileno()
        self._stream = stream
        self._mode = 0o600 if is_root else 0o666
        self._lock = threading.Lock()
        self._slots: list[Slot] = []
        self._free = [self._open_slot()]

    def say(self, line: str) -> None:
        """Tell it something; where it is gone, so are all it could tell."""
        with self._lock, contextlib.suppress(OSError):
            self._stream.write(f"{line}\n".encode())

    def take_slot(self) -> Slot:
        """Return a slot in which nothing runs, a new one where there is none."""
        with self._lock:
            if self._free:
                return self._free.pop()
            slot = self._open_slot()
            number = len(self._slots)
        self.say(f"slot {number}")
        return slot

    def give_back(self, slot: Slot) -> None:
        """What ran in a slot has ended."""
        with self._lock:
            self._free.append(slot)

    def make_fifo(self, path: Path) -> None:
        """Make a FIFO that the container's user can open.

        Raises:
            OSError: the file system refused.
        """
        os.mkfifo(path, self._mode)
        if stat.S_IMODE(path.stat().st_mode) != self._mode:
            path.chmod(self._mode)

    def close(self) -> None:
        """Hang up."""
        for slot in self._slots:
            slot.close()
        self._stream.close()

    def _open_slot(self) -> Slot:
        path = self.control / f"{SLOT}{len(self._slots) + 1}"
        # Another shell may have been tried before.
        path.unlink(missing_ok=True)
        self.make_fifo(path)
        slot = Slot(path)
        self._slots.append(slot)
        return slot


class DockerSession(HostSession):
    """The processes of one job in its container."""

    def __init__(
        self,
        supervisor: Supervisor,
        request: JobRequest,
        *,
        engine: Engine,
        layout: ContainerLayout,
        shell: Shell,
        running: Running,
    ) -> None:
        super().__init__(supervisor, request)
        self.folders = layout.inside
        self.facts = running.facts
        self.address = running.address
        self.variables = running.variables
        self._engine = engine
        self._layout = layout
        self._shell = shell
        self._running = running
        self._mounted: list[Path] = []
        self._request = request
        self._daemon: JobDaemon | None = None
        self._other_user: OtherUser | None = None
        if not running.is_root:
            # Imported only where there is one.
            from windlass.jobs.executors.docker_user import admit_other_user

            self._other_user = admit_other_user(
                running.pid, running.id, layout.outside, request.note
            )
        path = running.variables.get("PATH", "")
        self._found: dict[tuple[str, str], str | None] = {
            (name, path): program for name, program in running.programs.items()
        }

    def spawn(
        self,
        arguments: Sequence[str],
        *,
        variables: Mapping[str, str],
        folder: str,
        step: str = "",
    ) -> DockerProcess:
        """Start a program as the leader of a new session, without standard input.

        Raises:
            ExecutorError: with .NET's words, which are those of GitHub's runner; or the container
                has ended.
            PlatformError: it cannot be written down that something runs.
        """
        self._track(variables.get(TRACKING_VARIABLE))
        if self._other_user is not None:
            self._other_user.take_over(self._layout.outside.workspace)
        process = self._make_process(DockerProcess)
        with starting(process, arguments[0], folder):
            script = self._write(arguments, variables, folder)
            process.launch(self._shell, script, step)
        return process

    def find_program(self, name: str, *, search_path: str) -> str | None:
        """Return the full path of a program of the container; what was found once stays so."""
        key = name, search_path
        if key not in self._found:
            where = search_path if "/" not in name else "/"
            self._found[key] = self._ask_for(name, where) or None
        return self._found[key]

    def overlay(self, lower: Path, upper: Path, work: Path, target: Path) -> bool:
        """Mount an overlay among the mounts of the container, where that is allowed to us."""
        if self._other_user is not None or not self._is_near():
            return False
        paths = [self._layout.name_inside(path) for path in (lower, upper, work, target)]
        answer = self._supervisor.ask(
            "overlay within", self._running.pid, *(os.fsencode(path) for path in paths)
        )
        if answer[0] == "mounted":
            self._mounted.append(paths[-1])
            self._share_mounts(paths[-1:])
            return True
        return False

    @contextlib.contextmanager
    def keep_still(self) -> Iterator[None]:
        """Have the daemon freeze the container; before its first step nothing runs there."""
        if self._count == 0:
            yield
            return
        pause_container(self._engine, self._running.id)
        try:
            yield
        finally:
            resume_container(self._engine, self._running.id)

    def provide_docker(self, need: DockerNeed) -> None:
        """Start a daemon of the job's own, unless there is one.

        Raises:
            ExecutorError: it does not start; or the job is in the network of this machine, where
                none of its own can be.
            DockerError: the daemon outside is not there.
        """
        if self._daemon is not None:
            return
        # Imported only for a job that needs it.
        from windlass.jobs.containers.daemon import DaemonRequest, start_daemon
        from windlass.jobs.containers.daemon_socket import FOLDER

        request, running = self._request, self._running
        wanted = DaemonRequest(
            container=running.id,
            network=running.network,
            folder=self._layout.outside.root / FOLDER,
            inside=f"{self._layout.inside.root}/{FOLDER}",
            binds=running.binds,
            labels=own_labels(request.key),
            forwards=request.forwards if request.container is None else (),
            images=need.images,
        )
        request.note(f"The job gets a Docker daemon of its own: {need.reason}")
        self._daemon = daemon = start_daemon(self._engine, wanted, note=request.note)
        self._supervisor.tell("hold", files=[daemon.link])
        self.guard(daemon.container, self._engine.address.whole)
        self._share_mounts(self._mounted)

    def _share_mounts(self, paths: Sequence[Path]) -> None:
        """Let the job's own daemon see what is mounted for the job's container alone.

        Raises:
            ExecutorError: that is not allowed.
        """
        if self._daemon is None:
            return
        pids = self._running.pid, self._daemon.pid
        for path in paths:
            answer = self._supervisor.ask("share mount", *pids, os.fsencode(path))
            if answer[0] != "mounted":
                raise ExecutorError(
                    f"The job's own Docker daemon cannot be shown {path}: {os.strerror(answer[1])}"
                )

    def see(self, path: Path) -> Path:
        """Return the folder outside; through the container's root where it has mounts of its own.

        What only the container has is at no path of this machine.
        """
        inside = self._layout.name_inside(path)
        if any(inside.is_relative_to(target) for target in self._mounted):
            return type(path)(f"{self._root}{inside}")
        if path.is_relative_to(self._layout.outside.root):
            return path
        seen = self._layout.see(path)
        return self._layout.outside.root / "_not_here" if seen is None else seen

    @property
    def _root(self) -> str:
        return f"/proc/{self._running.pid}/root"

    def _is_near(self) -> bool:
        """Tell whether the container's first process has its number for us too."""
        own = self._layout.control / FIRST_SLOT
        try:
            return own.samefile(f"{self._root}{self._layout.name_inside(own)}")
        except OSError:
            return False

    def close(self) -> None:
        """Remove the container, whose processes end with it; what they printed can still be read.

        What they wrote is this user's from then on.
        """
        if self._is_closed:
            return
        try:
            self._close_daemon()
            self._take_ownership()
            remove_container(self._engine, self._running.id)
            self.unguard(self._running.id)
        except DockerError:
            self._end_without_daemon()
        super().close()
        self._shell.close()

    def _close_daemon(self) -> None:
        if self._daemon is None:
            return
        if said := self._daemon.close():
            self._request.note(f"##[warning]The job's own Docker daemon has {said}")
        self.unguard(self._daemon.container)

    def _end_without_daemon(self) -> None:
        """Kill the container's first process; a daemon that comes back removes the rest."""
        if self._is_near():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._running.pid, signal.SIGKILL)

    def _write(self, arguments: Sequence[str], variables: Mapping[str, str], folder: str) -> bytes:
        """Return the script that starts a program.

        Raises:
            OSError: there is no such program, or what it is given is too long.
            ValueError: something is no variable, or has a NUL byte in it.
        """
        _check(arguments, variables)
        program = arguments[0]
        if "/" not in program:
            program = self.find_program(program, search_path=variables.get("PATH", "")) or ""
            if not program:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        path = variables.get("PATH", "")
        command, exported = arrange_variables(
            [program, *arguments[1:]],
            variables,
            preload=f"{self._layout.inside.root}/{CONTROL}/{PRELOAD}",
            find_program=lambda name: self.find_program(name, search_path=path),
        )
        own = [name for name in self._running.variables if name not in exported]
        return write_step(command, exported, folder, without=own)

    def _ask_for(self, name: str, where: str) -> str:
        """Have the shell look for a program."""
        process = self.spawn(
            [*self._running.shell, "-c", FIND],
            variables={"WHERE": where, "NAME": name.lstrip("/")},
            folder="/",
        )
        found = b""
        while block := process.read():
            found += block
            process.release(len(found))
        process.wait()
        return found.decode("utf-8", "surrogateescape")

    def _take_ownership(self) -> None:
        """Make ours what others have written in the container, as its root, where that is not us.

        A daemon without root has it that way by itself: its root is this user. Containers of the
        job's own daemon are root's whoever the job is.
        """
        user = os.getuid()
        if user == 0 or not (self._running.is_root or self._other_user or self._daemon):
            return
        options = self._engine.ask("GET", "/info").get("SecurityOptions") or ()
        if any("rootless" in option for option in options):
            return
        inside = self._layout.inside
        paths = [str(path) for path in (inside.root, inside.home, inside.tools)]
        arguments = ["chown", "-R", "-h", f"{user}:{os.getgid()}", *paths]
        run_in_container(self._engine, self._running.id, arguments, user="0")


def _check(arguments: Sequence[str], variables: Mapping[str, str]) -> None:
    if any("=" in name or not name for name in variables):
        raise ValueError("illegal environment variable name")
    texts = [*arguments, *(f"{name}={value}" for name, value in variables.items())]
    if any("\0" in text for text in texts):
        raise ValueError("embedded null byte")
    if any(len(text) > MOST_BYTES // 4 and len(os.fsencode(text)) > MOST_BYTES for text in texts):
        raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
