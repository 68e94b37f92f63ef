"""What killed processes have left goes when `.windlass` is pruned, and nothing that is needed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from windlass.jobs.supervisor.presence import NAME
from windlass.operations.history import History, make_history
from windlass.operations.pruning import prune
from windlass.operations.pruning_leftovers import prune_work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD, OTHER = "1700000000000000", "1700000000000001"


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = make_history(tmp_path, print)
    yield opened
    opened.close()


def test_a_run_that_was_never_entered(history: History) -> None:
    """Its folder goes, whether or not it holds an attempt already; a dry run only names it."""
    for run in (OLD, OTHER):
        (history.folders.path / run).mkdir(parents=True)
    history.folders.make_attempt(OTHER, 1)

    told = [(it.kind, it.name, it.reason) for it in prune(history, dry_run=True)]
    reason = "it was interrupted before it began"
    assert told == [("run", OLD, reason), ("run", OTHER, reason)]
    assert len(history.folders.ids()) == 2
    prune(history)
    assert history.folders.ids() == []


def test_a_run_that_is_about_to_be_entered(history: History) -> None:
    """Neither a young folder goes nor one whose attempt somebody has claimed."""
    young = str(time.time_ns() // 1000)
    (history.folders.path / young).mkdir(parents=True)
    (history.folders.path / OLD).mkdir()
    claimed = history.folders.make_attempt(OLD, 1)
    assert claimed.claim()

    assert prune(history) == []
    assert history.folders.ids() == [OLD, young]
    claimed.release()


def test_a_removal_that_was_interrupted(history: History) -> None:
    """The rest of what was moved aside goes."""
    for parent in ("runs", "work"):
        (history.state / parent / f"{OLD}.removed" / "rest").mkdir(parents=True)

    assert [it.kind for it in prune(history)] == ["run", "work"]
    assert not list(history.state.glob("*/*.removed"))


def test_folders_of_jobs_without_a_run(history: History) -> None:
    """They go; those of an attempt that is carried out stay."""
    for name in (OLD, f"{OLD}.2"):
        (history.state / "work" / name / "1-build").mkdir(parents=True)
    (history.folders.path / OLD).mkdir(parents=True)
    second = history.folders.make_attempt(OLD, 2)
    assert second.claim()

    assert [it.name for it in prune(history) if it.kind == "work"] == [OLD]
    assert (history.state / "work" / f"{OLD}.2" / "1-build").exists()
    second.release()


def test_folders_of_a_job_that_is_being_ended(history: History) -> None:
    """They stay while its supervisor may still be ending processes in there."""
    work = history.state / "work" / OLD
    work.mkdir(parents=True)
    (history.folders.path / OLD).mkdir(parents=True)
    record = history.folders.make_attempt(OLD, 1).open_job(1, "build")
    (record / NAME).touch()

    assert list(prune_work(history)) == []
    (record / NAME).unlink()
    assert [it.name for it in prune_work(history)] == [OLD]
    assert not work.exists()
