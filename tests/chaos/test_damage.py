"""`.windlass` is damaged while a run goes on, or afterwards: the run ends, history stays usable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.chaos.test_faults import remove_all
from tests.e2e.repositories import SECONDS, processes_below, read_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.repositories import Repository

WAITING = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo rea''dy
          until test -e "$GO"; do sleep 0.02; done
          echo "went on"
  b:
    needs: a
    runs-on: ubuntu-latest
    steps: [run: echo "b ran"]
"""


def find(state: Path, pattern: str) -> Path:
    (path,) = state.glob(pattern)
    return path


def spoil_database(state: Path) -> None:
    for name in ("history.db-wal", "history.db-shm"):
        (state / name).unlink(missing_ok=True)
    (state / "history.db").write_bytes(b"garbage " * 10_000)


def remove_database(state: Path) -> None:
    for path in state.glob("history.db*"):
        path.unlink()


def truncate_events(state: Path) -> None:
    path = find(state, "runs/*/1/events.jsonl")
    path.write_bytes(path.read_bytes()[:-17])


def garble_events(state: Path) -> None:
    with find(state, "runs/*/1/events.jsonl").open("ab") as file:
        file.write(b'\xff\x00{"event": 7}\n[]\nnull\n{"event": "job-finished"}\n{"half')


def garble_index(state: Path) -> None:
    find(state, "runs/*/1/jobs/1/log.index").write_bytes(b"\xfe" * 333)


def truncate_log(state: Path) -> None:
    find(state, "runs/*/1/jobs/1/log").write_bytes(b"")


def remove_steps(state: Path) -> None:
    find(state, "runs/*/1/jobs/1/log.steps").write_bytes(b"\xff\xff\nx y z\n")


def remove_definition(state: Path) -> None:
    find(state, "runs/*/1/definition.json").write_bytes(b"{}")


def remove_runs(state: Path) -> None:
    remove_all(state / "runs")


DAMAGES = [
    spoil_database,
    remove_database,
    truncate_events,
    garble_events,
    garble_index,
    truncate_log,
    remove_steps,
    remove_definition,
    remove_runs,
    remove_all,
]
HARMLESS = (spoil_database, remove_database, truncate_events, garble_events, remove_definition)


def name_of(damage: Callable[[Path], None]) -> str:
    return damage.__name__


@pytest.mark.parametrize("damage", DAMAGES, ids=name_of)
def test_damaged_while_a_run_goes_on(
    repository: Repository, damage: Callable[[Path], None]
) -> None:
    """The run ends, as it would have where that can be; the reason is said; nothing is left."""
    go = repository.home / "go"
    repository.workflow(WAITING)
    repository.commit()
    process = repository.start("run", "--env", f"GO={go}")
    read_until(process, b"ready\n")
    damage(repository.path / ".windlass")
    go.touch()
    output, errors = process.communicate(timeout=SECONDS)

    said = (output + errors).decode()
    assert "Traceback" not in said
    assert "error: unexpected" not in said
    if damage in HARMLESS:
        assert process.returncode == 0, said
        assert "b ran" in said
    else:
        assert process.returncode in (0, 1, 3), said
    assert processes_below(repository.path) == set()
    assert_history_can_be_used(repository)


@pytest.mark.parametrize("damage", DAMAGES, ids=name_of)
def test_damaged_afterwards(repository: Repository, damage: Callable[[Path], None]) -> None:
    """Commands about history say what they can and never break down; the next run works."""
    go = repository.home / "go"
    go.touch()
    repository.workflow(WAITING)
    repository.commit()
    assert repository.windlass("run", "-j", "a", "--env", f"GO={go}").returncode == 0
    damage(repository.path / ".windlass")

    assert_history_can_be_used(repository)
    assert repository.windlass("run", "--env", f"GO={go}").returncode == 0
    shown = repository.windlass("show", "--json")
    assert json.loads(shown.stdout)["result"] == "success"


def assert_history_can_be_used(repository: Repository) -> None:
    for words in (("show",), ("logs",), ("resume", "latest")):
        done = repository.windlass(*words)
        said = done.stdout + done.stderr
        assert done.returncode in (0, 1, 2, 3), (words, said)
        assert "Traceback" not in said
        assert "error: unexpected" not in said
        assert done.returncode == 0 or done.stderr, words
