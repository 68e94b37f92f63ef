"""What `windlass run` and its history say when Windlass, its supervisors or its disk give up."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING

from tests.chaos.test_faults import small_disk
from tests.e2e.repositories import (
    SECONDS,
    assert_is_for_people,
    processes_below,
    read_until,
    wait_until_gone,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository

COUNTING = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          i=0
          while :; do i=$((i + 1)); echo "line $i ${{ secrets.TOKEN }}"; done
"""
ENDLESS = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo rea''dy
          exec sleep 600
      - if: always()
        run: echo never
"""
FLOOD = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          trap '' TERM INT
          yes "many words" | head --bytes=64M
          exec sleep 600
"""


def find_supervisor(repository: Repository) -> int:
    (path,) = (repository.path / ".windlass/runs").glob("*/1/jobs/1/supervisor.json")
    return int(json.loads(path.read_bytes())["supervisor"][0])


def left_by_job(folder: Path) -> list[str]:
    names = [path.name for path in folder.glob(".windlass/runs/*/1/jobs/1/*")]
    return sorted(name for name in names if not name.startswith(("log", "key")))


def test_log_of_a_killed_run(repository: Repository) -> None:
    """After `kill -9` the log holds all that was printed, masked, and says what happened."""
    repository.workflow(COUNTING)
    repository.commit()
    process = repository.start("run", "--secret", "TOKEN=hunter2-hunter2")
    read_until(process, b"line 500 ")
    supervisor = find_supervisor(repository)
    process.kill()
    process.communicate(timeout=SECONDS)
    wait_until_gone({supervisor})

    shown = repository.windlass("logs")
    assert shown.returncode == 0, shown.stderr
    lines = [line for line in shown.stdout.splitlines() if line.startswith("line ")]
    assert len(lines) > 500
    assert lines == [f"line {number} ***" for number in range(1, len(lines) + 1)]
    assert "Windlass was killed while this step ran" in shown.stdout.splitlines()[-1]
    assert "interrupted" in repository.windlass("runs").stdout
    assert left_by_job(repository.path) == []


def test_supervisor_is_killed(repository: Repository) -> None:
    """The job fails and says why; nothing of it goes on."""
    repository.workflow(ENDLESS)
    repository.commit()
    process = repository.start("run")
    read_until(process, b"ready\n")
    steps = processes_below(repository.path) - {process.pid}
    os.kill(find_supervisor(repository), signal.SIGKILL)
    output, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 1, output + errors
    assert b"The supervisor of this job was killed" in output
    assert b"Traceback" not in output + errors
    wait_until_gone(steps)
    assert left_by_job(repository.path) == []


def test_log_fills_the_disk(repository: Repository) -> None:
    """A step whose output finds no room is ended at once, and the reason is said."""
    repository.workflow(FLOOD)
    repository.commit()
    with small_disk(repository.path / ".windlass", "8m"):
        done = repository.windlass("run")

    assert done.returncode in (1, 3), done.stdout[-1000:] + done.stderr
    said = re.sub(r"^.*many words\n", "", done.stdout, flags=re.MULTILINE) + done.stderr
    assert "No space left on device" in said, said[-2000:]
    assert_is_for_people(done)
    assert processes_below(repository.path) == set()
