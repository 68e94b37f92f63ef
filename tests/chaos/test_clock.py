"""A clock that jumps: what waits, measures or decides goes by time that only grows."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import SECONDS

if TYPE_CHECKING:
    from tests.e2e.repositories import Repository

JUMPING = """\
import itertools, sys, time
day, started = float(sys.argv[1]) * 86400, time.time()
jumps = itertools.count()
time.time = lambda: started + day * next(jumps)
time.time_ns = lambda: max(1, int(time.time() * 1e9))
from windlass.cli.main import main
sys.exit(main(sys.argv[2:]))
"""
"""The command line, in which the wall clock jumps by so many days whenever it is asked."""

WORKFLOW = """\
on: push
jobs:
  waits:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - run: sleep 0.3
        timeout-minutes: 5
      - run: echo "still there"
  alone:
    runs-on: ubuntu-latest
    concurrency: one
    steps: [run: echo "had its turn"]
"""


def jump(repository: Repository, days: float, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", JUMPING, str(days), *words],
        cwd=repository.path,
        env=repository.environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@pytest.mark.parametrize("days", [1, -1, 1000, -1000])
def test_clock_jumps(repository: Repository, days: float) -> None:
    """Nothing times out, durations are true, and history can be read."""
    repository.workflow(WORKFLOW)
    repository.commit()
    done = jump(repository, days, "run")
    shown = jump(repository, days, "show", "--json")
    logs = jump(repository, days, "logs")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert shown.returncode == 0, shown.stderr
    run = json.loads(shown.stdout)
    assert run["state"] == "success"
    assert all(0 < job["seconds"] < SECONDS for job in run["jobs"])
    waits = next(job for job in run["jobs"] if job["job"] == "waits")
    assert waits["seconds"] >= 0.3
    assert "still there" in logs.stdout
    assert "had its turn" in logs.stdout


@pytest.mark.parametrize("days", [10, -10])
def test_clock_jumps_while_windlass_does_not_run(repository: Repository, days: float) -> None:
    """Runs of a time to come are listed and kept in order, and the next run works."""
    repository.workflow(WORKFLOW)
    repository.commit()
    assert jump(repository, days, "run").returncode == 0
    done = repository.windlass("run")
    listed = repository.windlass("runs", "--json")

    assert done.returncode == 0, done.stderr
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) == 2
    assert repository.windlass("prune").returncode == 0
