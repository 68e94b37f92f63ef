"""Every journal there is, for the suites that run over all of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from windlass.db.database import Database
from windlass.db.runs import AttemptRow, RunRow
from windlass.engine.journals.local import LocalJournal
from windlass.engine.journals.memory import MemoryJournal
from windlass.engine.key_cover import KeyCover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from windlass.engine.journals.interface import Journal


def attempt_row(run: str = "1", attempt: int = 1, **keys: str) -> AttemptRow:
    """An attempt of a run that began at second 5."""
    row = RunRow(
        id=run,
        number=1,
        workflow=keys.get("workflow", "CI"),
        path=keys.get("path", "ci.yml"),
        event="push",
        sha="f" * 40,
        ref="refs/heads/main",
        created=5.0,
    )
    return AttemptRow(run=row, attempt=attempt, started=5.0)


@contextmanager
def local_journal(folder: Path) -> Iterator[LocalJournal]:
    """A journal in a database of its own; nothing is said about it."""
    told: list[str] = []
    database = Database(folder / "history.db")
    journal = LocalJournal(database, attempt_row(), told.append, KeyCover(lambda text: text))
    yield journal
    database.close()
    assert told == []


@contextmanager
def memory_journal(folder: Path) -> Iterator[MemoryJournal]:
    yield MemoryJournal()


JOURNALS: dict[str, Callable[[Path], AbstractContextManager[Journal]]] = {
    "memory": memory_journal,
    "local": local_journal,
}
