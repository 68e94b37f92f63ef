"""The artifacts of runs: what each is called and which blob it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.model.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from windlass.db.connections import Connection, Store

_COLUMNS: Final = "id, run, attempt, job, name, blob, size, mime_type, created, expires"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRow:
    """One artifact. `job` is the key of the job that made it, `blob` the SHA-256 of its content.

    `created` and `expires` are seconds since the epoch. Of an attempt's artifacts no two have the
    same name.
    """

    id: int
    run: str
    attempt: int
    job: str
    name: str
    blob: str
    size: int
    mime_type: str
    created: float
    expires: float


def next_id(connection: Connection, now: float) -> int:
    """Return an id that none has had: later ones are higher, though earlier ones were removed."""
    ((highest,),) = connection.execute("SELECT max(id) FROM artifacts").fetchall()
    return max(int(highest or 0) + 1, int(now * 1000))


def enter_artifact(connection: Connection, row: ArtifactRow) -> ArtifactRow:
    """Enter an artifact, under a later id where another process has just taken this one."""
    while True:
        entered = connection.execute(
            f"INSERT INTO artifacts ({_COLUMNS}) "  # noqa: S608 (names of columns)
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (
                row.id,
                row.run,
                row.attempt,
                row.job,
                row.name,
                row.blob,
                row.size,
                row.mime_type,
                row.created,
                row.expires,
            ),
        )
        if entered.rowcount:
            return row
        row = replace(row, id=row.id + 1)


def find_artifact(connection: Connection, run: str, attempt: int, name: str) -> ArtifactRow | None:
    """Return an attempt's artifact of a name."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM artifacts WHERE run = ? AND attempt = ? AND name = ?",  # noqa: S608
        (run, attempt, name),
    )
    return next(iter(_read(rows)), None)


def list_artifacts(database: Store, run: str, now: float) -> list[ArtifactRow]:
    """Return the artifacts of all attempts of a run that have not expired, newest first."""
    return _read(
        database.ask(
            f"SELECT {_COLUMNS} FROM artifacts WHERE run = ? AND expires > ? ORDER BY id DESC",  # noqa: S608
            (run, now),
        )
    )


def list_all(database: Store) -> list[ArtifactRow]:
    """Return all artifacts of all runs, those that have expired too, the oldest first."""
    return _read(database.ask(f"SELECT {_COLUMNS} FROM artifacts ORDER BY id"))  # noqa: S608


def list_blobs(database: Store) -> set[str]:
    """Return the blobs that artifacts are."""
    return {blob for (blob,) in database.ask("SELECT DISTINCT blob FROM artifacts")}


def remove_artifact(connection: Connection, id: int) -> None:  # noqa: A002
    """Remove one artifact."""
    connection.execute("DELETE FROM artifacts WHERE id = ?", (id,))


def remove_orphans(connection: Connection) -> None:
    """Remove the artifacts of runs that are gone."""
    connection.execute("DELETE FROM artifacts WHERE run NOT IN (SELECT id FROM runs)")


def _read(rows: Iterable[Sequence[Any]]) -> list[ArtifactRow]:
    return [ArtifactRow(**dict(zip(_COLUMNS.split(", "), row, strict=True))) for row in rows]
