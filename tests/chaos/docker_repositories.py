"""Repositories whose commands find a daemon, and what those leave there."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.e2e.repositories import SECONDS, WINDLASS, Repository
from tests.waiting import wait_until

from windlass.docker.containers import has_container, list_containers
from windlass.docker.networks import list_networks
from windlass.docker.volumes import list_volumes
from windlass.jobs.containers.labels import OWNER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from windlass.docker.engine import Engine


REMOVAL_SECONDS = 60


class DockerRepository(Repository):
    """A repository of a folder; `enter` makes a command one that reaches the daemon's network."""

    def __init__(
        self,
        folder: Path,
        address: str,
        *,
        home: Path | None = None,
        enter: Callable[[Sequence[str]], list[str]] = list,
    ) -> None:
        """Make it, with one commit, for a user who knows where jobs run."""
        super().__init__(folder / "repository", home or folder / "home")
        self._address = address
        self._enter = enter
        self.path.mkdir(parents=True)
        self.home.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.heed_host_notice()

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """A clean environment in which this checkout's Windlass runs and finds the daemon."""
        return {**super().environment(variables), "DOCKER_HOST": self._address}

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start the command line and leave it running; all it says is on its standard output."""
        return subprocess.Popen(
            self._enter([*WINDLASS, *words]),
            cwd=self.path,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def finish(self, *words: str) -> tuple[int, str]:
        """Run the command line to its end; return its exit code and all it says."""
        process = self.start(*words)
        output, _ = process.communicate(timeout=SECONDS)
        return process.returncode, output.decode()


def list_left(docker: Engine, pid: int | None = None) -> set[str]:
    """Return what a process, or all have in a daemon, once it has removed what it was about to.

    One that has just been started again goes on with removals that were under way; and what is to
    be swept may be what another Windlass sweeps just now.
    """
    wait_until(lambda: not list_owned(docker, pid), REMOVAL_SECONDS)
    return list_owned(docker, pid)


def list_owned(docker: Engine, pid: int | None = None) -> set[str]:
    """Return what a process has in a daemon, or all processes have."""
    containers = [(it, str(it["Id"])) for it in list_containers(docker, [OWNER])]
    named = [(it, name) for it, name in containers if has_container(docker, name)]
    named += [(it, str(it["Id"])) for it in list_networks(docker, [OWNER])]
    named += [(it, str(it["Name"])) for it in list_volumes(docker, [OWNER])]
    return {
        name for it, name in named if pid is None or it["Labels"][OWNER].split("/")[3] == str(pid)
    }
