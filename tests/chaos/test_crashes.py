"""`kill -9` at every point of a run's history: what is shown is true, and the run can go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.e2e.repositories import SECONDS, processes_below

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository

WORKFLOW = """\
name: Crash
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    outputs:
      word: ${{ steps.say.outputs.word }}
    steps:
      - id: say
        run: echo "word=kept" >> "$GITHUB_OUTPUT"; echo first >> "$RECORD"
  never:
    needs: first
    if: failure()
    runs-on: ubuntu-latest
    steps:
      - run: exit 1
  last:
    needs: [first, never]
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: echo "last ${{ needs.first.outputs.word }}" >> "$RECORD"
"""
EXPECTED = {"first": "success", "never": "skipped", "last": "success"}
ENDED = ("success", "skipped")
STRIDE = int(os.environ.get("WINDLASS_CRASH_STRIDE", "1"))
"""Every so many-th point is tried."""


def crash(repository: Repository, point: int, record: Path) -> subprocess.CompletedProcess[str]:
    words = ("run", "push", "--env", f"RECORD={record}")
    return subprocess.run(
        [sys.executable, "-m", "windlass.testing.crash", str(point), *words],
        cwd=repository.path,
        env=repository.environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def show(repository: Repository) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(repository.windlass("show", "--json").stdout)
    return shown


def check_point(repository: Repository, point: int, record: Path) -> None:
    """Kill a run at a point, look at what is shown, and let it go on to its end."""
    known = repository.windlass("runs", "--json").stdout.count("\n")
    crashed = crash(repository, point, record)
    assert crashed.returncode == -9, crashed.stderr

    if repository.windlass("runs", "--json").stdout.count("\n") == known:
        return  # Nothing had been entered: there was no run yet.
    shown = show(repository)
    jobs = {job["job"]: job["state"] for job in shown["jobs"]}
    done = record.read_text().split("\n") if record.exists() else []
    if shown["state"] == "success":
        assert jobs == EXPECTED
        return
    assert shown["state"] == "interrupted", shown
    for job, state in jobs.items():
        assert state in ("interrupted", EXPECTED[job])
    if jobs.get("first") == "success":
        assert "first" in done

    resumed = repository.windlass("resume", "--env", f"RECORD={record}")

    assert resumed.returncode == 0, (point, resumed.stdout, resumed.stderr)
    shown = show(repository)
    assert shown["state"] == "success"
    assert {job["job"]: job["state"] for job in shown["jobs"]} == EXPECTED
    assert "last kept" in record.read_text()


def test_every_crash_point(repository: Repository, tmp_path: Path) -> None:
    """Killed anywhere, a run is shown as it is, and ends after `resume` as if undisturbed."""
    repository.workflow(WORKFLOW)
    repository.commit()
    undisturbed = crash(repository, 0, tmp_path / "record")
    assert undisturbed.returncode == 0, undisturbed.stderr
    points = int(undisturbed.stderr.splitlines()[-1].removesuffix(" points"))
    assert points >= 40

    for point in range(1, points + 1, STRIDE):
        check_point(repository, point, tmp_path / f"record-{point}")

    assert processes_below(repository.path) == set()
