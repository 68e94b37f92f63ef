"""Windlass is killed while a job's own Docker daemon is made: nothing is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.chaos.docker_repositories import DockerRepository
from tests.e2e.repositories import CHECKOUT
from tests.images import make_tools_image
from tests.waiting import wait_until

from windlass.docker.containers import list_containers
from windlass.docker.volumes import list_volumes
from windlass.jobs.containers.labels import JOB
from windlass.jobs.containers.sweeping import sweep

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.docker.engine import Engine

IMAGE = "windlass-test/job-daemon:1"
SECONDS = 120
PROGRAM = """
import sys
from tests.chaos.daemon_points import install_daemon_points
from tests.chaos.points import Points
install_daemon_points(Points((sys.argv[1], int(sys.argv[2]))))
from windlass.cli.main import main
sys.exit(main(sys.argv[3:]))
"""
CREATE = "POST /containers/create"
ATTACH = "POST /containers/*/attach"
START = "POST /containers/*/start"
POINTS = [
    # The first is about the container of the steps, the second about that of the daemon.
    (f"sent {CREATE}", 2),
    (f"after {CREATE}", 2),
    (f"after {ATTACH}", 2),
    (f"sent {START}", 2),
    (f"after {START}", 2),
    ("sent PUT /containers/*/archive", 1),
    ("after PUT /containers/*/archive", 1),
    ("before DELETE /containers/*", 1),
    ("after DELETE /containers/*", 1),
]


@pytest.mark.requirement("C12")
@pytest.mark.usefixtures("daemon_image")
@pytest.mark.parametrize("point", POINTS, ids=lambda it: f"{it[0]} {it[1]}")
def test_killed_while_it_is_made(point: tuple[str, int], docker: Engine, tmp_path: Path) -> None:
    """Its supervisor, its own first process or the next command removes it, with its volume."""
    make_tools_image(docker, IMAGE, ("sh", "cat", "setsid"))
    key = f"job-daemon-{os.getpid()}"
    repository = DockerRepository(tmp_path, docker.address.text)
    steps = "- run: docker ps || echo there is no client\n        shell: sh {0}"
    repository.workflow(f"on: push\njobs:\n  {key}:\n    runs-on: x\n    steps:\n      {steps}\n")
    repository.commit()
    volumes = {str(it["Name"]) for it in list_volumes(docker)}

    killed = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, point[0], str(point[1])),
            *("run", "-P", f"x=docker://{IMAGE}"),
        ],
        cwd=repository.path,
        env=repository.environment({"PYTHONPATH": f"{CHECKOUT}/src:{CHECKOUT}"}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    made: set[str] = set()

    def look() -> set[str]:
        """Return the containers and volumes that are left."""
        found = list_containers(docker, [f"{JOB}={key}"])
        made.update(str(m["Name"]) for it in found for m in it["Mounts"] if m["Type"] == "volume")
        there = {str(it["Name"]) for it in list_volumes(docker)} - volumes
        return {str(it["Id"]) for it in found} | (made & there)

    def is_swept() -> bool:
        if not look():
            return True
        sweep(docker)
        return False

    assert wait_until(is_swept, SECONDS), f"left are {look()}"
