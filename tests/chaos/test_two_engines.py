"""Several Windlasses use one daemon at once: each removes what the dead have left, nothing else."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from tests.chaos.docker_repositories import DockerRepository, list_left, list_owned
from tests.e2e.repositories import SECONDS, read_until
from tests.images import make_tools_image

from windlass.jobs.supervisor.tree import list_descendants, send_signal

if TYPE_CHECKING:
    import subprocess
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


@pytest.fixture
def repositories(tmp_path: Path, docker: Engine) -> tuple[DockerRepository, DockerRepository]:
    make_tools_image(docker, IMAGE)
    made = [
        DockerRepository(tmp_path / name, docker.address.text, home=tmp_path / "home")
        for name in ("first", "second")
    ]
    for it in made:
        it.workflow(WORKFLOW)
        it.commit()
    (tmp_path / "signs").mkdir()
    (tmp_path / "signs/at-once").touch()
    return made[0], made[1]


def words(repository: DockerRepository, sign: str) -> tuple[str, ...]:
    """Return the command of a run that waits for a sign."""
    signs = repository.home.parent / "signs"
    return ("run", "-P", "ubuntu-latest=host", "--var", f"SIGNS={signs}", "--var", f"SIGN={sign}")


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a Windlass and all who would tidy up after it."""
    for pid in (*list_descendants(process.pid), process.pid):
        send_signal(pid, signal.SIGKILL)
    process.communicate(timeout=SECONDS)


@pytest.mark.requirement("C12")
@pytest.mark.parametrize("repository", [0, 1], ids=["one repository", "two repositories"])
def test_only_the_dead_are_swept(
    docker: Engine,
    repositories: tuple[DockerRepository, DockerRepository],
    repository: int,
) -> None:
    """Who works and who is stopped keeps all of it; who was killed keeps nothing."""
    here, there = repositories[0], repositories[repository]
    doomed = here.start(*words(here, "never"))
    working = there.start(*words(there, "later"))
    read_until(doomed, b"begun")
    read_until(working, b"begun")
    ours, theirs = list_owned(docker, doomed.pid), list_owned(docker, working.pid)
    assert len(ours) == len(theirs) == 4

    doomed.send_signal(signal.SIGSTOP)
    code, said = there.finish(*words(there, "at-once"))
    assert code == 0, said
    assert (list_owned(docker, doomed.pid), list_owned(docker, working.pid)) == (ours, theirs)

    kill_all(doomed)
    assert list_owned(docker, doomed.pid)
    code, said = there.finish(*words(there, "at-once"))
    assert code == 0, said
    assert (list_left(docker, doomed.pid), list_owned(docker, working.pid)) == (set(), theirs)

    (here.home.parent / "signs/later").touch()
    output, _ = working.communicate(timeout=SECONDS)
    assert working.returncode == 0, output
    assert list_owned(docker, working.pid) == set()
