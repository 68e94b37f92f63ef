"""Runs and their attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.model.status import Result
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.db.connections import Connection, Store

_ATTEMPTS: Final = """
SELECT runs.id, runs.number, runs.workflow, runs.path, runs.event, runs.sha, runs.ref, runs.created,
    runs.repository, runs.delivery,
    attempts.attempt, attempts.started, attempts.finished, attempts.result
FROM runs JOIN attempts ON attempts.run = runs.id
"""

_IS_LATEST: Final = """
NOT EXISTS (SELECT 1 FROM attempts AS later
    WHERE later.run = attempts.run AND later.attempt > attempts.attempt)
"""
"""To ask for the highest one instead has PostgreSQL look at all runs, for each page."""

_LATEST: Final = f"WHERE {_IS_LATEST} ORDER BY runs.created DESC, runs.id DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run that is to be entered. `number` counts the runs of one workflow file, from 1.

    `repository` is the id of a server's repository; local history has one, which has none.
    `delivery` names what made a server start it: no two runs of a workflow file have the same.
    """

    id: str
    number: int
    workflow: str
    path: str
    event: str
    sha: str
    ref: str
    created: float
    repository: str = ""
    delivery: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One attempt with its run; `finished` and `result` are None until it has ended."""

    run: RunRow
    attempt: int
    started: float
    finished: float | None = None
    result: Result | None = None


def next_number(connection: Connection, path: str, repository: str = "") -> int:
    """Return the number that the next run of a workflow file gets."""
    question = "SELECT max(number) FROM runs WHERE repository = ? AND path = ?"
    ((highest,),) = connection.execute(question, (repository, path)).fetchall()
    return int(highest or 0) + 1


def lock_numbers(connection: Connection, repository: str) -> bool:
    """Keep all others from numbering a repository's runs until the transaction ends.

    False where there is no such repository.
    """
    changed = connection.execute(
        "UPDATE repositories SET created = created WHERE id = ?", (repository,)
    )
    return changed.rowcount == 1


def enter_run(connection: Connection, run: RunRow) -> bool:
    """Enter a run; False where its id is taken."""
    facts = (run.id, run.number, run.workflow, run.path, run.event, run.sha, run.ref, run.created)
    entered = connection.execute(
        "INSERT INTO runs "
        "(id, number, workflow, path, event, sha, ref, created, repository, delivery) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (*facts, run.repository, run.delivery),
    )
    return entered.rowcount == 1


def enter_attempt(connection: Connection, row: AttemptRow) -> None:
    """Enter an attempt, and its run where that is not known yet. May be done again."""
    run = row.run
    enter_run(connection, run)
    result = None if row.result is None else row.result.value
    connection.execute(
        "INSERT INTO attempts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (run.id, row.attempt, row.started, row.finished, result),
    )
    _note_state(connection, run.id)


def finish_attempt(
    connection: Connection, run: str, attempt: int, finished: float, result: Result
) -> None:
    """Note how an attempt has ended."""
    connection.execute(
        "UPDATE attempts SET finished = ?, result = ? WHERE run = ? AND attempt = ?",
        (finished, result.value, run, attempt),
    )
    _note_state(connection, run)


def find_start(connection: Connection, run: str, attempt: int) -> float:
    """Return when an attempt was started."""
    ((started,),) = connection.execute(
        "SELECT started FROM attempts WHERE run = ? AND attempt = ?", (run, attempt)
    ).fetchall()
    return float(started)


def _note_state(connection: Connection, run: str) -> None:
    """Write to a run how its last attempt is: what runs are looked for by has to be indexed."""
    connection.execute(
        "UPDATE runs SET state = (SELECT coalesce(result, 'running') FROM attempts "
        "WHERE run = ? ORDER BY attempt DESC LIMIT 1) WHERE id = ?",
        (run, run),
    )


def lock_attempt(connection: Connection, run: str, attempt: int) -> bool:
    """Keep all others from an attempt until the transaction ends; False where it has ended."""
    # An update is what both databases lock a row for; SQLite locks the whole file anyway.
    changed = connection.execute(
        "UPDATE attempts SET started = started WHERE run = ? AND attempt = ? AND result IS NULL",
        (run, attempt),
    )
    return changed.rowcount == 1


def list_latest(database: Store, limit: int | None = None) -> list[AttemptRow]:
    """Return the last attempt of each run, newest run first."""
    question = _ATTEMPTS + _LATEST
    if limit is None:
        return _read(database.ask(question))
    return _read(database.ask(question + " LIMIT ?", (limit,)))


def lock_run(connection: Connection, run: str) -> AttemptRow | None:
    """Return the last attempt of a run, and keep all others from starting another.

    None where there is no such run.
    """
    connection.execute("UPDATE runs SET number = number WHERE id = ?", (run,))
    question = _ATTEMPTS + "WHERE runs.id = ? ORDER BY attempts.attempt DESC LIMIT 1"
    rows = _read(connection.execute(question, (run,)))
    return rows[0] if rows else None


def find_by_delivery(
    connection: Connection, repository: str, delivery: str, path: str
) -> str | None:
    """Return the run of a workflow file that a delivery has started already."""
    rows = connection.execute(
        "SELECT id FROM runs WHERE repository = ? AND delivery = ? AND path = ?",
        (repository, delivery, path),
    ).fetchall()
    return str(rows[0][0]) if rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs are wanted; None is all. `ref` and `path` are of one repository.

    `state` is `running` or a result, of the last attempt.
    """

    repository: str | None = None
    path: str | None = None
    ref: str | None = None
    state: str | None = None


def list_page(
    database: Store, wanted: RunFilter, limit: int, after: tuple[float, str] | None = None
) -> list[AttemptRow]:
    """Return the last attempts of some runs, newest run first.

    `after` is `created` and `id` of the last run of the page before. What it takes does not grow
    with the number of runs: there is an index for the repository with any one of the others.
    """
    columns = ("repository", "path", "ref", "state")
    given = [(name, getattr(wanted, name)) for name in columns]
    conditions = [f"runs.{name} = ?" for name, value in given if value is not None]
    values = [value for _, value in given if value is not None]
    if after is not None:
        conditions.append("(runs.created, runs.id) < (?, ?)")
        values += after
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    question = (
        f"{_ATTEMPTS} {where}{'AND' if where else 'WHERE'} {_IS_LATEST} "
        "ORDER BY runs.created DESC, runs.id DESC LIMIT ?"
    )
    return _read(database.ask(question, (*values, limit)))


def find_repository_of(database: Store, run: str) -> str:
    """Return the id of a run's repository; empty where there is no such run."""
    rows = database.ask("SELECT repository FROM runs WHERE id = ?", (run,))
    return str(rows[0][0]) if rows else ""


def list_attempts(database: Store, run: str) -> list[AttemptRow]:
    """Return the attempts of one run, oldest first; none where there is no such run."""
    question = _ATTEMPTS + "WHERE runs.id = ? ORDER BY attempts.attempt"
    return _read(database.ask(question, (run,)))


def find_last_end(database: Store, repository: str, path: str, ref: str) -> AttemptRow | None:
    """Return how the newest run of a workflow file at a ref ended, of those that have ended."""
    known = "SELECT 1 FROM runs WHERE repository = ? AND ref = ? LIMIT 1"
    if not database.ask(known, (repository, ref)):
        # Anybody may ask for any branch: to look for it among the runs of the file takes longer.
        return None
    question = _ATTEMPTS + (
        "WHERE runs.repository = ? AND runs.path = ? AND runs.ref = ? "
        "AND attempts.result IS NOT NULL ORDER BY runs.number DESC, attempts.attempt DESC LIMIT 1"
    )
    rows = _read(database.ask(question, (repository, path, ref)))
    return rows[0] if rows else None


def list_unfinished(database: Store) -> list[AttemptRow]:
    """Return the attempts that have not ended: they go on, or were interrupted."""
    return _read(database.ask(_ATTEMPTS + "WHERE attempts.result IS NULL"))


def list_ids(database: Store) -> list[str]:
    """Return the ids of all runs, newest first."""
    return [row[0] for row in database.ask("SELECT id FROM runs ORDER BY created DESC, id DESC")]


def remove_run(connection: Connection, run: str) -> None:
    """Forget a run, its attempts and their journals."""
    connection.execute("DELETE FROM runs WHERE id = ?", (run,))


def _read(rows: Iterable[tuple[Any, ...]]) -> list[AttemptRow]:
    """Turn rows of `_ATTEMPTS` into values."""
    return [
        AttemptRow(
            run=RunRow(
                id=row[0],
                number=row[1],
                workflow=row[2],
                path=row[3],
                event=row[4],
                sha=row[5],
                ref=row[6],
                created=row[7],
                repository=row[8],
                delivery=row[9],
            ),
            attempt=row[10],
            started=row[11],
            finished=row[12],
            result=None if row[13] is None else Result(row[13]),
        )
        for row in rows
    ]
