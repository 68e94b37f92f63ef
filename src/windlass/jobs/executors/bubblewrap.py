"""Has bubblewrap make a job's namespaces and start its supervisor as the first process there.

Source: bwrap(1)
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from windlass.errors import ExecutorError
from windlass.jobs.supervisor import channel
from windlass.jobs.supervisor.client import (
    CHANNEL,
    LOWEST_DESCRIPTOR,
    SOURCES,
    SupervisorProcess,
    make_link,
)

if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Iterator, Sequence

Made = TypeVar("Made")

PROGRAM: Final = "bwrap"
INFORMATION: Final = 4
BLOCK_BYTES: Final = 1 << 16
KERNEL_SETTINGS: Final = "/proc/sys"
MAIN: Final = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from windlass.jobs.supervisor.confined import main; main()"
)
SYSTEM: Final = ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
NAMESPACES: Final = ("--unshare-pid", "--unshare-ipc", "--unshare-cgroup-try", "--as-pid-1")
OFFLINE: Final = ("--unshare-net",)
ATTEMPTS: Final = 10
PASSING: Final = "Can't bind mount /oldroot/ on /newroot/"
"""What bubblewrap says where a mount is gone that it has just found: Docker removes many."""

_NO_MOUNT: Final = "Failed to make / slave"
"""What bubblewrap says where the root is not that of a mount: in a chroot."""

_ELSEWHERE: Final = (
    'or choose another place: `-P \'*=host\'`, or `"*" = "host"` below `[places]` in '
    "~/.config/windlass/config.toml, is this machine itself, as you"
)
_SETTINGS: Final = (
    ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile of AppArmor for bwrap",
    ),
)
"""Settings of Linux below /proc/sys that forbid namespaces: the value, and what allows them."""


def find_bubblewrap() -> str:
    """Return the path of bubblewrap.

    Raises:
        ExecutorError: it is not on PATH.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise ExecutorError(
            f"the sandbox needs bubblewrap, and there is no `{PROGRAM}` on PATH",
            hint=f"install the package bubblewrap, {_ELSEWHERE}",
        )
    return program


def require_sandbox(*, offline: bool) -> None:
    """Make a sandbox, and nothing in it, to see whether this machine allows that.

    Raises:
        ExecutorError: bubblewrap is missing, or was refused something; with what to do.
    """
    # Imported here only, where a process more does not count.
    import subprocess

    command = [find_bubblewrap(), *SYSTEM, *NAMESPACES, *(OFFLINE if offline else ()), "true"]

    def make() -> None:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            raise RefusedError(done.stderr.decode(errors="replace"))

    try:
        _persist(make)
    except OSError as error:
        raise refuse(f"{command[0]} cannot be started: {error.strerror}") from error


class RefusedError(Exception):
    """Bubblewrap has ended without making a sandbox; the text is what it said."""


def _persist(make: Callable[[], Made]) -> Made:
    """Return what was made, trying again where the cause may have passed.

    Raises:
        ExecutorError: it cannot be made.
    """
    attempts = 0
    while True:
        attempts += 1
        try:
            return make()
        except RefusedError as error:
            told = str(error)
            if attempts == ATTEMPTS or PASSING not in told:
                raise refuse(told) from None


def refuse(told: str) -> ExecutorError:
    """Return the error for a sandbox that cannot be made, with what bubblewrap has told."""
    reason = told.strip().removeprefix(f"{PROGRAM}: ") or "it ended without a word"
    return ExecutorError(
        f"bubblewrap cannot make a sandbox: {reason}", hint=f"{_advise(reason)}, {_ELSEWHERE}"
    )


def start_supervisor(arguments: Sequence[str]) -> SupervisorProcess:
    """Start the supervisor of one job in a sandbox; `arguments` say what is mounted there.

    Raises:
        ExecutorError: bubblewrap is missing, or was refused something.
        OSError: there may be no more processes, or no more open files.
    """
    program = find_bubblewrap()
    return _persist(lambda: _start(program, arguments))


def _start(program: str, arguments: Sequence[str]) -> SupervisorProcess:
    command = [program, *SYSTEM, *arguments, *NAMESPACES, "--chdir", "/"]
    command += ["--info-fd", str(INFORMATION), "--"]
    command += [sys.executable, "-I", "-S", "-c", MAIN, SOURCES]
    link, far = make_link()
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        theirs.callback(os.close, far)
        ours.callback(link.close)
        told, output = _make_pipe(ours, theirs)
        facts, information = _make_pipe(ours, theirs)
        ended = os.posix_spawn(
            program,
            command,
            {},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, output, 2),
                (os.POSIX_SPAWN_DUP2, far, CHANNEL),
                (os.POSIX_SPAWN_DUP2, information, INFORMATION),
            ],
            setsid=True,
        )
        theirs.close()
        pid = _read_pid(facts)
        if pid is None or not _is_ready(link):
            os.waitpid(ended, 0)
            raise RefusedError(b"".join(_read(told)).decode(errors="replace"))
        process = ConfinedProcess(link, pid, ended)
        os.close(told)
        os.close(facts)
        ours.pop_all()
    return process


class ConfinedProcess(SupervisorProcess):
    """A supervisor that bubblewrap has started and waits for."""

    def __init__(self, link: socket, pid: int, bubblewrap: int) -> None:
        super().__init__(link, pid)
        self._bubblewrap = bubblewrap

    def dismiss(self) -> None:
        """Let it go, and wait until it and all of its namespace have ended."""
        super().dismiss()
        if self.owner == os.getpid():
            os.waitpid(self._bubblewrap, 0)


def _is_ready(link: socket) -> bool:
    """Wait for the first word of a supervisor; tell whether there was one."""
    try:
        return channel.receive(link) is not None
    except ConnectionResetError:
        return False


def _make_pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    """Return both ends of a pipe, numbered so that none is what the other process expects."""
    ends = []
    for end, stack in zip(os.pipe(), (ours, theirs), strict=True):
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR))
        stack.callback(os.close, ends[-1])
        os.close(end)
    return ends[0], ends[1]


def _read_pid(facts: int) -> int | None:
    """Return the id that the first process of the namespace has here; None where there is none."""
    text = b""
    for block in _read(facts):
        text += block
        if b"}" in text:
            pid: int = json.loads(text)["child-pid"]
            return pid
    return None


def _read(pipe: int) -> Iterator[bytes]:
    while block := os.read(pipe, BLOCK_BYTES):
        yield block


def _advise(reason: str) -> str:
    """Say what has to be changed for a sandbox to be allowed here."""
    if _NO_MOUNT in reason:
        return "make the root of this chroot a mount point (mount --bind ROOT ROOT, then chroot)"
    for name, value, cure in _SETTINGS:
        with contextlib.suppress(OSError):
            if Path(KERNEL_SETTINGS, name).read_text().strip() == value:
                return f"this machine forbids namespaces of ordinary users: allow them ({cure})"
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return (
            "start the container around Windlass so that it may make namespaces "
            "(--security-opt seccomp=unconfined --security-opt systempaths=unconfined)"
        )
    return "allow this user to make namespaces"
