"""Several Windlasses use one daemon at once: each removes what the dead have left, nothing else."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import SECONDS, Repository, read_until
from tests.images import make_tools_image

from windlass.docker.containers import list_containers
from windlass.docker.networks import list_networks
from windlass.docker.volumes import list_volumes
from windlass.jobs.containers.labels import OWNER
from windlass.jobs.supervisor.tree import list_descendants

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from windlass.docker.engine import Engine

IMAGE = "windlass-test/tools:1"
WORKFLOW = f"""\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: {{image: "{IMAGE}", volumes: ["${{{{ vars.SIGNS }}}}:/signs", "kept:/kept"]}}
    services:
      box: {{image: "{IMAGE}", entrypoint: /bin/sh, command: -c "sleep 600"}}
    steps:
      - shell: sh
        run: |
          echo be''gun
          until [ -e /signs/${{{{ vars.SIGN }}}} ]; do sleep 0.1; done
"""


class DockerRepository(Repository):
    """A repository whose commands find the daemon."""

    def __init__(self, path: Path, home: Path, address: str) -> None:
        super().__init__(path, home)
        self._address = address

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**super().environment(variables), "DOCKER_HOST": self._address}


@pytest.fixture
def repositories(tmp_path: Path, docker: Engine) -> tuple[Repository, Repository]:
    make_tools_image(docker, IMAGE)
    made = []
    for name in ("first", "second"):
        found = DockerRepository(tmp_path / name, tmp_path / "home", docker.address.text)
        for folder in (found.path, found.home):
            folder.mkdir(exist_ok=True)
        found.git("init", "--quiet", "--initial-branch=main")
        found.heed_host_notice()
        found.workflow(WORKFLOW)
        found.commit()
        made.append(found)
    (tmp_path / "signs").mkdir()
    (tmp_path / "signs/at-once").touch()
    return made[0], made[1]


def words(repository: Repository, sign: str) -> tuple[str, ...]:
    """Return the command of a run that waits for a sign."""
    signs = repository.path.parent / "signs"
    return ("run", "-P", "ubuntu-latest=host", "--var", f"SIGNS={signs}", "--var", f"SIGN={sign}")


def owned(docker: Engine, process: subprocess.Popen[bytes]) -> set[str]:
    """Return what a process has in the daemon."""

    def find() -> Iterator[str]:
        for it in (*list_containers(docker, [OWNER]), *list_networks(docker, [OWNER])):
            if it["Labels"][OWNER].split("/")[3] == str(process.pid):
                yield str(it["Id"])
        for it in list_volumes(docker, [OWNER]):
            if it["Labels"][OWNER].split("/")[3] == str(process.pid):
                yield str(it["Name"])

    return set(find())


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a Windlass and all who would tidy up after it."""
    for pid in (*list_descendants(process.pid), process.pid):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=SECONDS)


@pytest.mark.requirement("C12")
@pytest.mark.parametrize("repository", [0, 1], ids=["one repository", "two repositories"])
def test_only_the_dead_are_swept(
    docker: Engine,
    repositories: tuple[Repository, Repository],
    repository: int,
) -> None:
    """Who works and who is stopped keeps all of it; who was killed keeps nothing."""
    here, there = repositories[0], repositories[repository]
    doomed = here.start(*words(here, "never"))
    working = there.start(*words(there, "later"))
    read_until(doomed, b"begun")
    read_until(working, b"begun")
    ours, theirs = owned(docker, doomed), owned(docker, working)
    assert len(ours) == len(theirs) == 4

    doomed.send_signal(signal.SIGSTOP)
    third = there.windlass(*words(there, "at-once"))
    assert third.returncode == 0, third.stdout + third.stderr
    assert (owned(docker, doomed), owned(docker, working)) == (ours, theirs)

    kill_all(doomed)
    assert owned(docker, doomed)
    fourth = there.windlass(*words(there, "at-once"))
    assert fourth.returncode == 0, fourth.stdout + fourth.stderr
    assert (owned(docker, doomed), owned(docker, working)) == (set(), theirs)

    (here.path.parent / "signs/later").touch()
    output, errors = working.communicate(timeout=SECONDS)
    assert working.returncode == 0, output + errors
    assert owned(docker, working) == set()
