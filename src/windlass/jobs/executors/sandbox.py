"""Runs a job's processes on this machine, in a namespace that shows little of it.

The job's supervisor is the first process there: whatever a step starts cannot leave the namespace,
see or signal a process outside it, or go on when the supervisor has ended.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import ExecutorError
from windlass.jobs.executors.bubblewrap import OFFLINE, start_supervisor
from windlass.jobs.executors.host import HostSession, is_program, require_linux
from windlass.jobs.executors.sandbox_view import View, describe_mounts
from windlass.jobs.executors.stillness import stop_descendants
from windlass.jobs.supervisor.client import Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from windlass.jobs.executors.interface import DockerNeed, JobRequest

NAME: Final = "sandbox"
NAME_OFFLINE: Final = "sandbox:offline"

_NOTHING: Final = View()


class SandboxExecutor:
    """This machine, seen through a namespace of the job's own."""

    def __init__(self, view: View = _NOTHING, *, offline: bool = False) -> None:
        """Take which files jobs see, and whether they are without a network."""
        self.name = NAME_OFFLINE if offline else NAME
        self._view = view
        self._offline = offline

    def open(self, request: JobRequest) -> SandboxSession:
        """Return the place for one job, with its supervisor.

        Raises:
            ExecutorError: this is not Linux; or bubblewrap is missing or was refused something.
        """
        require_linux()
        try:
            arguments = describe_mounts(self._view, request.folders)
            arguments += OFFLINE if self._offline else ()
            process = start_supervisor(arguments)
        except OSError as error:
            raise ExecutorError(f"The sandbox cannot be made: {error.strerror}") from error
        return SandboxSession(Supervisor(process), request, offline=self._offline)


class SandboxSession(HostSession):
    """The processes of one job, below a supervisor that is the first process of a namespace."""

    def __init__(self, supervisor: Supervisor, request: JobRequest, *, offline: bool) -> None:
        self._offline = offline
        self._own = request.folders.root if request.folders is not None else None
        super().__init__(supervisor, request)

    def find_program(self, name: str, *, search_path: str) -> str | None:
        """Return the full path of a program that the job's processes can see."""
        if name.startswith("/"):
            return name if is_program(f"{self._root}{name}") else None
        for entry in search_path.split(":"):
            path = f"{entry.rstrip('/')}/{name}"
            if entry.startswith("/") and is_program(f"{self._root}{path}"):
                return path
        return None

    def listen(self) -> int | None:
        """Without a network there is a localhost, the job's alone: something listens on that."""
        return self._supervisor.ask_for_file("listen") if self._offline else None

    def keep_still(self) -> AbstractContextManager[None]:
        """Stop all that runs in the namespace beside the supervisor."""
        return stop_descendants(self._supervisor.pid)

    def provide_docker(self, need: DockerNeed) -> None:
        """Refuse: the machine's daemon would give a job all of the machine.

        One of the job's own could not have the machine's network, in which the sandbox is.

        Raises:
            ExecutorError: always.
        """
        raise ExecutorError(
            f"The job needs Docker ({need.reason}), and there is none in the sandbox",
            hint="`-P LABEL=docker` runs it in a container with a daemon of its own, `-P "
            "LABEL=host` on this machine with the daemon of that; if it can do without, write "
            "`LABEL = false` below [docker.labels] in config.toml",
        )

    def see(self, path: Path) -> Path:
        """Look through the root of the job's namespace; its own folder is in both places."""
        if self._own is not None and path.is_relative_to(self._own):
            return super().see(path)
        return Path(f"{self._root}{path}")

    @property
    def _root(self) -> str:
        return f"/proc/{self._supervisor.pid}/root"

    def _begin(self, folder: Path, files: Sequence[int] = ()) -> None:
        """Give the supervisor the folder itself: its name leads nowhere in the namespace."""
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            super()._begin(folder, (*files, opened))
        finally:
            os.close(opened)

    def _end_orphans(self) -> None:
        """The supervisor was killed: the kernel ends all of its namespace, and then it."""
        self._supervisor.await_end()
