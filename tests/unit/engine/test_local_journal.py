"""What the journal in a database does beyond its contract: it outlives process and database."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.journals import attempt_row, local_journal
from tests.unit.plan.machines import CONTEXTS, job, workflow

from windlass.db.database import Database
from windlass.db.run_events import read_entries
from windlass.db.runs import list_latest
from windlass.engine.driver import drive
from windlass.engine.journals.local import LocalJournal
from windlass.engine.key_cover import KeyCover
from windlass.engine.resumption import resume
from windlass.errors import PlatformError
from windlass.model.status import Result
from windlass.plan.orders import StartJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import (
    CancelRequested,
    GroupDenied,
    JobCancelRequested,
    JobFinished,
    RunStarted,
)

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


def open_journal(
    database: Database, told: list[str] | None = None, secret: str = ""
) -> LocalJournal:
    told = [] if told is None else told
    cover = KeyCover(lambda text: text.replace(secret, "***") if secret else text)
    return LocalJournal(database, attempt_row(), told.append, cover)


def test_another_process_reads_what_was_kept(tmp_path: Path) -> None:
    """A journal that is opened again goes on where it ended."""
    with local_journal(tmp_path) as first:
        first.append(0, RunStarted(), [])
    with local_journal(tmp_path) as second:
        second.append(1, CancelRequested("stop"), [])
        assert list(second.signals()) == [RunStarted(), CancelRequested("stop")]


def test_two_drivers_on_one_journal_are_found_out(tmp_path: Path) -> None:
    """The second one to append gets an error, and what the first one wrote stays."""
    with local_journal(tmp_path) as first, local_journal(tmp_path) as second:
        first.append(0, RunStarted(), [])

        with pytest.raises(PlatformError, match="number 0 where number 1 is next"):
            second.append(0, CancelRequested("stop"), [])

        assert list(first.signals()) == [RunStarted()]


@pytest.mark.parametrize("damage", ["removed", "overwritten", "emptied"])
def test_a_database_that_breaks_meanwhile_loses_nothing(tmp_path: Path, damage: str) -> None:
    """The attempt and all its signals are written again to a new database."""
    told: list[str] = []
    database = Database(tmp_path / "history.db")
    journal = open_journal(database, told)
    journal.append(0, RunStarted(), [])
    for file in tmp_path.glob("history.db*"):
        if damage == "removed":
            file.unlink()
        elif file.name == "history.db":
            replacement = tmp_path / "replacement"
            replacement.write_bytes(b"nonsense" * 999 if damage == "overwritten" else b"")
            replacement.replace(file)
        else:
            file.unlink()

    journal.append(1, CancelRequested("stop"), [])
    journal.finish(9.0, Result.CANCELLED)

    assert bool(told) is (damage == "overwritten")
    assert len(read_entries(database, "1", 1)) == 2
    assert list_latest(database)[0].result is Result.CANCELLED
    database.close()


def test_secrets_in_keys_are_not_kept(tmp_path: Path) -> None:
    """The database holds other names; whoever replays the journal gets the keys back."""
    jobs = workflow(job("a", strategy={"matrix": {"x": ["hunter2", "hunter2!"]}}), job("b", ["a"]))
    first = RunMachine(jobs, CONTEXTS)
    database = Database(tmp_path / "history.db")
    journal = open_journal(database, secret="hunter2")
    due: list[Signal] = []

    def carry_out(order: Order) -> None:
        if isinstance(order, StartJob) and order.key != "b":
            due.append(JobFinished(order.key, Result.SUCCESS))
        if not due:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        drive(first, journal=journal, next_signal=lambda: due.pop(0), carry_out=carry_out)

    kept = b"".join(file.read_bytes() for file in tmp_path.glob("history.db*"))
    assert b"hunter2" not in kept
    again = open_journal(database, secret="hunter2")
    resumption = resume(RunMachine(jobs, CONTEXTS), again)
    assert [order.key for order in resumption.orders if isinstance(order, StartJob)] == ["b"]
    database.close()


@pytest.mark.parametrize(
    "signal",
    [
        CancelRequested("for 'deploy-hunter2'"),
        JobCancelRequested("a", "for 'deploy-hunter2'"),
        GroupDenied("a", "for 'deploy-hunter2'"),
    ],
    ids=lambda signal: type(signal).__name__,
)
def test_secrets_in_reasons_are_not_kept(tmp_path: Path, signal: Signal) -> None:
    """The name of a group may be made from a value that is secret."""
    with closing(Database(tmp_path / "history.db")) as database:
        open_journal(database, secret="hunter2").append(0, signal, [])

        ((kept, _),) = read_entries(database, "1", 1)
        assert "for 'deploy-***'" in kept
