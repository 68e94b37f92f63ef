"""The history of a repository's runs: its database and its folders, side by side."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from windlass.db.database import open_database
from windlass.db.runs import (
    AttemptRow,
    RunRow,
    enter_attempt,
    list_attempts,
    list_ids,
    list_latest,
    list_unfinished,
    next_number,
)
from windlass.errors import InputError, UsageError, WindlassError
from windlass.model.values import dataclass, replace
from windlass.operations.definitions import read_definition, write_definition
from windlass.protocol.event_lines import read_event
from windlass.protocol.events import RunFinished
from windlass.stores.run_folders import AttemptFolder, RunFolders
from windlass.stores.state_folder import DATABASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from windlass.db.database import Database
    from windlass.operations.definitions import Definition

_NO_SECRETS: Final[Mapping[str, str]] = {}
LATEST: Final = "latest"
_SHORTEST_END: Final = 4
"""With fewer digits, the end of an id would name a run by chance."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: what the database knows of it, and its folder."""

    row: AttemptRow
    folder: AttemptFolder

    @property
    def is_live(self) -> bool:
        """Whether a process carries it out at this moment."""
        return self.row.result is None and self.folder.is_live

    @property
    def is_interrupted(self) -> bool:
        """Whether it has not ended and nobody carries it out."""
        return self.row.result is None and not self.folder.is_live


class History:
    """The runs of one repository. `tell` hears what somebody should know, such as damage."""

    def __init__(self, database: Database, state: Path, tell: Callable[[str], None]) -> None:
        self.database = database
        self.state = state
        self.tell = tell
        self.folders = RunFolders(state)
        if database.is_new:
            self._restore()

    @property
    def path(self) -> Path:
        """The file of the database."""
        return self.database.path

    def begin_run(
        self, definition: Definition, mask: Callable[[str], str]
    ) -> tuple[Definition, Attempt]:
        """Enter a new run; return its definition with id and number, and its claimed attempt.

        Raises:
            PlatformError: it cannot be written.
        """
        return self._begin(replace(definition, run=self.folders.create(), attempt=1), mask)

    def begin_attempt(
        self, definition: Definition, mask: Callable[[str], str]
    ) -> tuple[Definition, Attempt]:
        """Enter the next attempt of a run.

        Raises:
            PlatformError: it cannot be written.
        """
        known = self.folders.attempts(definition.run)
        number = max((definition.attempt, *known)) + 1
        return self._begin(replace(definition, attempt=number), mask)

    def _begin(
        self, definition: Definition, mask: Callable[[str], str]
    ) -> tuple[Definition, Attempt]:
        folder = self.folders.make_attempt(definition.run, definition.attempt)
        folder.claim()
        with self.database.writing() as connection:
            if not definition.number:
                number = next_number(connection, mask(definition.path))
                definition = replace(definition, number=number)
            folder.write_definition(write_definition(definition, mask))
            row = _describe(definition, mask)
            enter_attempt(connection, row)
        return definition, Attempt(row, folder)

    def list_runs(self, limit: int | None = None) -> list[Attempt]:
        """Return the last attempt of each run, newest run first."""
        return [self._find_folder(row) for row in list_latest(self.database, limit)]

    def attempts(self, run: str) -> list[Attempt]:
        """Return the attempts of one run, oldest first."""
        return [self._find_folder(row) for row in list_attempts(self.database, run)]

    def list_interrupted(self) -> list[Attempt]:
        """Return the attempts that have not ended and that nobody carries out."""
        found = map(self._find_folder, list_unfinished(self.database))
        return [attempt for attempt in found if attempt.is_interrupted]

    def find(self, name: str = LATEST) -> Attempt:
        """Return the last attempt of the run that is meant by an id, or by its beginning or end.

        Raises:
            InputError: there is none.
            UsageError: there are several.
        """
        ids = list_ids(self.database)
        if not ids:
            raise InputError("there are no runs yet", hint="`windlass run` starts one")
        run = ids[0] if name == LATEST else _choose(name, ids)
        attempts = self.attempts(run)
        if not attempts:
            raise InputError(f"run {run} has just been removed", hint="`windlass runs` lists them")
        return attempts[-1]

    def read(self, attempt: Attempt, secrets: Mapping[str, str] = _NO_SECRETS) -> Definition:
        """Return the definition of an attempt, without the values that are not kept.

        `secrets` are put back where one was part of something else.

        Raises:
            InputError: it is none, or another version of Windlass wrote it.
            PlatformError: it is missing or cannot be read.
        """
        folder = attempt.folder
        return read_definition(folder.read_definition(), str(folder.definition), secrets)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _find_folder(self, row: AttemptRow) -> Attempt:
        return Attempt(row, self.folders.attempt(row.run.id, row.attempt))

    def _restore(self) -> None:
        """Enter the runs that have folders into a database that is new."""
        rows = []
        for run in self.folders.ids():
            for number in self.folders.attempts(run):
                row = _recall(self.folders.attempt(run, number))
                rows += [] if row is None else [row]
        with self.database.writing() as connection:
            for row in rows:
                enter_attempt(connection, row)


def make_history(state: Path, tell: Callable[[str], None]) -> History:
    """Open the history of a repository, which is begun where there is none; `state` must exist.

    Raises:
        PlatformError: it cannot be opened, or it is of a newer version of Windlass.
    """
    return History(open_database(state / DATABASE, tell), state, tell)


def has_history(state: Path) -> bool:
    """Tell whether there ever was a run."""
    return (state / DATABASE).exists() or bool(RunFolders(state).ids())


@contextmanager
def open_history(state: Path, tell: Callable[[str], None]) -> Iterator[History]:
    """Yield the history of a repository.

    Raises:
        InputError: there is none.
        PlatformError: it cannot be opened, or it is of a newer version of Windlass.
    """
    if not has_history(state):
        hint = "`windlass run` starts one; -C names another repository"
        raise InputError(f"there are no runs in {state}", hint=hint)
    history = make_history(state, tell)
    try:
        yield history
    finally:
        history.close()


def _choose(name: str, ids: list[str]) -> str:
    """Return the id that a name means: all of it, its beginning or its end."""
    found = [run for run in ids if run == name]
    found = found or [run for run in ids if run.startswith(name)]
    if len(name) >= _SHORTEST_END:
        found = found or [run for run in ids if run.endswith(name)]
    if not found:
        raise InputError(f"there is no run {name!r}", hint="`windlass runs` lists them")
    if len(found) > 1:
        some = ", ".join(found[:5])
        raise UsageError(f"{name!r} may be any of {len(found)} runs", hint=f"for instance {some}")
    return found[0]


def _describe(definition: Definition, mask: Callable[[str], str]) -> AttemptRow:
    run = RunRow(
        id=definition.run,
        number=definition.number,
        workflow=mask(definition.name),
        path=mask(definition.path),
        event=mask(definition.event.name),
        sha=mask(definition.event.sha),
        ref=mask(definition.event.ref),
        created=definition.created,
    )
    return AttemptRow(run=run, attempt=definition.attempt, started=time.time())


def _recall(folder: AttemptFolder) -> AttemptRow | None:
    """Return what a folder tells of its attempt; None where that cannot be read."""
    try:
        definition = read_definition(folder.read_definition(), str(folder.definition))
        row = _describe(definition, lambda it: it)
        read = [found for found in map(read_event, folder.read_events()) if found is not None]
    except WindlassError:
        return None
    if not read:
        return row
    event, told = read[-1]
    row = replace(row, started=read[0][1])
    if isinstance(event, RunFinished):
        return replace(row, finished=told, result=event.result)
    return row
