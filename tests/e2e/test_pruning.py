"""What goes of earlier runs, and what stays."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest
from tests.e2e.histories import runs, start_waiting
from tests.e2e.repositories import SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.repositories import Repository


def test_pruning(repository: Repository) -> None:
    """Old runs go with their folders, the latest stays; a dry run changes nothing."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo hi\n"
    )
    repository.commit()
    for _ in range(3):
        repository.windlass("run", "--keep")
    all_runs = [run["run"] for run in runs(repository)]

    dry = repository.windlass("prune", "--runs", "1", "--dry-run", "--json")
    assert [json.loads(line)["name"] for line in dry.stdout.splitlines()] == all_runs[1:]
    assert len(runs(repository)) == 3
    done = repository.windlass("prune", "--runs", "1")

    assert done.returncode == 0, done.stderr
    assert [run["run"] for run in runs(repository)] == all_runs[:1]
    for folder in ("runs", "work"):
        names = [it.name for it in (repository.path / ".windlass" / folder).iterdir()]
        assert names == all_runs[:1]
    repository.windlass("prune", "--runs", "0", "--days", "0", "--size", "0")
    assert len(runs(repository)) == 1
    assert repository.windlass("prune", "--size", "lots").returncode == 2


@pytest.mark.parametrize("part", ["repositories", "checkouts", "histories"])
def test_pruning_what_repositories_share(part: str, repository: Repository) -> None:
    """What was fetched of others goes when that is asked for; it needs no history."""
    kept = repository.home / ".cache/windlass" / part / "acme/tools.git"
    kept.mkdir(parents=True)
    (kept / "HEAD").write_text("ref: refs/heads/main\n")

    assert "nothing to remove" in repository.windlass("prune").stdout
    dry = repository.windlass("prune", "--actions", "--dry-run", "--json")
    (told,) = map(json.loads, dry.stdout.splitlines())
    assert (told["kind"], told["name"], told["reason"]) == ("actions", "acme/tools", "asked for")
    assert kept.exists()
    assert "freed" in repository.windlass("prune", "--actions").stdout
    assert list(kept.parent.iterdir()) == []


def test_pruning_images_without_a_daemon(repository: Repository) -> None:
    """Nothing can be said of the images then: the command fails and says what to start."""
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = repository.windlass("prune", "--images", variables=nowhere)

    assert done.returncode == 3
    assert "cannot be reached at unix:///nowhere" in done.stderr
    assert repository.windlass("prune", variables=nowhere).returncode == 0


def test_uncommitted_changes_are_pruned(repository: Repository) -> None:
    """What runs that went had needed goes; those that stay can be run again."""
    repository.workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: cat note.txt\n"
    )
    repository.commit()
    for number in range(3):
        repository.write("note.txt", f"number {number}\n")
        assert repository.windlass("run").returncode == 0
    kept = runs(repository)[0]["run"]
    objects = [it for it in repository.path.glob(".windlass/shadow/objects/??/*") if it.is_file()]
    for path in objects:
        os.utime(path, (0, 0))

    done = repository.windlass("prune", "--runs", "1", "--bases", "0", "--json")

    removed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [it["kind"] for it in removed].count("objects") == 1, removed
    assert 0 < sum(it.exists() for it in objects) < len(objects)
    again = repository.windlass("rerun", kept)
    assert "number 2" in again.stdout, again.stdout + again.stderr


def test_a_running_run_is_not_pruned(repository: Repository, tmp_path: Path) -> None:
    """Neither its folder nor its jobs' folders go, though newer runs are kept."""
    process = start_waiting(repository, tmp_path)
    (tmp_path / "sign").touch()
    words = ("--env", f"RECORD={tmp_path / 'record'}", "--env", f"SIGN={tmp_path / 'sign'}")
    assert repository.windlass("run", *words).returncode == 0

    assert repository.windlass("prune", "--runs", "0", "--tools").returncode == 0

    assert [run["state"] for run in runs(repository)] == ["success", "running"]
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, errors
    assert b"tidied\n" in output
