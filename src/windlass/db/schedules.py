"""When workflows are to start by themselves: a row for each `cron` line of a default branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass import __version__
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from windlass.db.connections import Connection, Store

_COLUMNS: Final = "repository, path, cron, timezone, due"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """A `cron` line of the workflow file at `path`; `due` is its next time, since the epoch."""

    repository: str
    path: str
    cron: str
    timezone: str
    due: float


def list_schedules(store: Store, repository: str | None = None) -> list[ScheduleRow]:
    """Return the schedules of a repository, or of all, by path."""
    question = f"SELECT {_COLUMNS} FROM schedules"  # noqa: S608
    if repository is None:
        return _read(store.ask(f"{question} ORDER BY repository, path, cron, timezone"))
    where = " WHERE repository = ? ORDER BY path, cron, timezone"
    return _read(store.ask(question + where, (repository,)))


def list_due(store: Store, now: float) -> list[ScheduleRow]:
    """Return the schedules whose time has come."""
    question = f"SELECT {_COLUMNS} FROM schedules WHERE due <= ? ORDER BY due"  # noqa: S608
    return _read(store.ask(question, (now,)))


def replace_schedules(connection: Connection, repository: str, rows: Iterable[ScheduleRow]) -> None:
    """Set the schedules of a repository; one that was there keeps its time."""
    wanted = {(row.path, row.cron, row.timezone): row for row in rows}
    found = connection.execute(
        "SELECT path, cron, timezone FROM schedules WHERE repository = ?", (repository,)
    ).fetchall()
    known = {tuple(row) for row in found}
    connection.executemany(
        "DELETE FROM schedules WHERE repository = ? AND path = ? AND cron = ? AND timezone = ?",
        [(repository, *key) for key in known - wanted.keys()],
    )
    connection.executemany(
        f"INSERT INTO schedules ({_COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608
        [(repository, *key, wanted[key].due) for key in wanted.keys() - known],
    )


def note_scheduled(connection: Connection, repository: str, files: str) -> None:
    """Note from which tree of workflow files the schedules of a repository have been read."""
    connection.execute(
        "UPDATE repositories SET scheduled = ? WHERE id = ?", (_name(files), repository)
    )


def is_scheduled(connection: Connection, repository: str, files: str) -> bool:
    """Tell whether the schedules of a repository are those of a tree of workflow files."""
    rows = connection.execute(
        "SELECT 1 FROM repositories WHERE id = ? AND scheduled = ?", (repository, _name(files))
    ).fetchall()
    return bool(rows)


def move_schedule(connection: Connection, row: ScheduleRow, due: float) -> bool:
    """Set the next time of a schedule; False where somebody else was faster, or it is gone."""
    changed = connection.execute(
        "UPDATE schedules SET due = ? "
        "WHERE repository = ? AND path = ? AND cron = ? AND timezone = ? AND due = ?",
        (due, row.repository, row.path, row.cron, row.timezone, row.due),
    )
    return changed.rowcount == 1


def _read(rows: Sequence[tuple[str, str, str, str, float]]) -> list[ScheduleRow]:
    return [
        ScheduleRow(repository=repository, path=path, cron=cron, timezone=timezone, due=due)
        for repository, path, cron, timezone, due in rows
    ]


def _name(files: str) -> str:
    """Return what is noted of a tree: another version of Windlass may read it otherwise."""
    return f"{__version__} {files}"
