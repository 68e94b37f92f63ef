"""Runs that exclude each other, each in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.e2e.histories import runs
from tests.e2e.repositories import SECONDS, read_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.e2e.repositories import Repository


def test_runs_of_a_group_wait_for_each_other(repository: Repository, tmp_path: Path) -> None:
    """One runs, the newest waits, who waited before is cancelled, in three processes at once."""
    record = tmp_path / "record"
    repository.workflow(
        "name: Grouped\non: push\nconcurrency: Deploy\njobs:\n  a:\n    runs-on: ubuntu-latest\n"
        "    steps:\n      - run: |\n"
        '          echo "start $GITHUB_RUN_NUMBER" >> "$RECORD"; echo ready\n'
        '          until test -e "$SIGN"; do sleep 0.05; done\n'
        '          echo "end $GITHUB_RUN_NUMBER" >> "$RECORD"\n'
    )
    repository.commit()
    words = ("run", "--json", "--env", f"RECORD={record}", "--env", f"SIGN={tmp_path / 'sign'}")
    first = repository.start(*words)
    read_until(first, b'"ready\\n')
    second = repository.start(*words)
    read_until(second, b'"waiting"')
    third = repository.start(*words)
    holder = min(run["run"] for run in runs(repository))
    read_until(third, f'"holder_run": "{holder}", "holder_job": ""'.encode())
    displaced, _ = second.communicate(timeout=SECONDS)
    (tmp_path / "sign").touch()

    assert second.returncode == 1
    assert b"Canceling since a higher priority waiting request for 'Deploy' exists" in displaced
    for process in (first, third):
        process.communicate(timeout=SECONDS)
        assert process.returncode == 0
    assert record.read_text() == "start 1\nend 1\nstart 3\nend 3\n"
    assert [run["result"] for run in runs(repository)] == ["success", "cancelled", "success"]


@pytest.mark.requirement("A18")
def test_a_newer_run_ends_the_one_in_progress(repository: Repository, tmp_path: Path) -> None:
    """`cancel-in-progress` reaches the process of the older run, which then makes room."""
    words, first = hold(
        repository, tmp_path / "sign", run="concurrency: {group: g, cancel-in-progress: true}\n"
    )

    second = repository.windlass(*words)

    first.communicate(timeout=SECONDS)
    assert second.returncode == 0, second.stdout + second.stderr
    assert [run["result"] for run in runs(repository)] == ["success", "cancelled"]


def test_a_group_is_left_by_whoever_is_killed(repository: Repository, tmp_path: Path) -> None:
    """Nobody waits for a run whose process is gone."""
    words, first = hold(repository, tmp_path / "sign", job="    concurrency: g\n")
    first.kill()
    first.communicate(timeout=SECONDS)

    assert repository.windlass(*words).returncode == 0


def hold(
    repository: Repository, sign: Path, *, run: str = "", job: str = ""
) -> tuple[tuple[str, ...], subprocess.Popen[bytes]]:
    """Start a run that stays; return the words of its command, and its process.

    The same words start one that ends at once. `run` and `job` are lines of the workflow.
    """
    repository.workflow(
        f"on: push\n{run}jobs:\n  a:\n{job}    runs-on: ubuntu-latest\n    steps:\n"
        '      - run: test -e "$SIGN" || { echo ready; sleep 600; }\n'
    )
    repository.commit()
    words = ("run", "--env", f"SIGN={sign}")
    first = repository.start(*words)
    read_until(first, b"ready\n")
    sign.touch()
    return words, first
