"""A Windlass that is killed while it starts, has or removes a service leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.chaos.docker_repositories import REMOVAL_SECONDS
from tests.images import make_tools_image
from tests.waiting import wait_until

from windlass.docker.containers import list_containers
from windlass.docker.images import inspect_image
from windlass.docker.networks import list_networks
from windlass.docker.volumes import list_volumes
from windlass.jobs.containers.labels import OWNER, own_labels
from windlass.jobs.containers.sweeping import sweep

if TYPE_CHECKING:
    from windlass.docker.engine import Engine

PROGRAM = Path(__file__).with_name("service_crash.py")
IMAGE = "windlass-test/service:1"
MOST_QUESTIONS = 40


def left_by(docker: Engine, pid: int) -> list[str]:
    """Return what a process has left in the daemon."""
    boot = own_labels("")[OWNER].split("/")[:3]
    prefix = "/".join([*boot, str(pid), ""])
    things = (*list_containers(docker), *list_networks(docker), *list_volumes(docker))
    labels = ((thing.get("Labels") or {}).get(OWNER, "") for thing in things)
    return [label for label in labels if label.startswith(prefix)]


@pytest.mark.requirement("C12")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_kill_at_every_question_to_the_daemon(docker: Engine, tmp_path: Path, moment: str) -> None:
    """Whatever was asked last, the next one who starts a service finds and removes the rest."""
    if inspect_image(docker, IMAGE) is None:
        make_tools_image(docker, IMAGE)
    for number in range(MOST_QUESTIONS):
        command = [sys.executable, str(PROGRAM), str(tmp_path), IMAGE, str(number), moment]
        with subprocess.Popen(
            command,
            env={**os.environ, "DOCKER_HOST": docker.address.text},
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            said, _ = program.communicate(timeout=60)

        sweep(docker)

        # The other worker's Windlass may be sweeping the same.
        wait_until(lambda: not left_by(docker, program.pid), REMOVAL_SECONDS)
        assert left_by(docker, program.pid) == [], f"killed {moment} question {number}"
        if said.endswith("over\n"):
            assert program.returncode == 0
            break
    else:
        pytest.fail("the job never came to its end")
    assert number > 10
