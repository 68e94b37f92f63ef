"""The caches of a repository: who is writing one, and which are finished and in which blob."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.db.connections import marks
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from windlass.db.connections import Connection, Store

_COLUMNS = "id, scope, version, cache_key, created, used, writer, blob, size, places"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRow:
    """A cache: `writer` is who is writing it, None once it is finished; `blob` is None until then.

    `size` is in bytes, `created` (when it was finished) and `used` in seconds since the epoch.
    `places` is the version as it holds for every job, None where `version` does.
    """

    id: int
    scope: str
    version: str
    key: str
    created: float
    used: float
    writer: str | None
    blob: str | None
    size: int
    places: str | None


def add_cache(
    connection: Connection, *, scope: str, version: str, key: str, writer: str, now: float
) -> int | None:
    """Add a cache that somebody is going to write; return its number.

    None where another process has just added one of that name.
    """
    ((last,),) = connection.execute("SELECT COALESCE(MAX(id), 0) FROM caches").fetchall()
    number = int(last) + 1
    while True:
        added = connection.execute(
            f"INSERT INTO caches ({_COLUMNS}) "  # noqa: S608 (names of columns)
            "VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 0, NULL) ON CONFLICT DO NOTHING",
            (number, scope, version, key, now, now, writer),
        )
        if added.rowcount:
            return number
        if read_cache(connection, scope=scope, version=version, key=key) is not None:
            return None
        number += 1


def read_cache(connection: Connection, *, scope: str, version: str, key: str) -> CacheRow | None:
    """Return the one cache of that name, finished or not."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM caches "  # noqa: S608 (names of columns)
        "WHERE scope = ? AND version = ? AND cache_key = ?",
        (scope, version, key),
    ).fetchall()
    return _make(rows[0]) if rows else None


def find_number(database: Store, *, scope: str, version: str, key: str, writer: str) -> int | None:
    """Return the number of the cache of a name that somebody is writing, or that is finished."""
    rows = database.ask(
        "SELECT id FROM caches WHERE scope = ? AND version = ? AND cache_key = ? "
        "AND (writer = ? OR writer IS NULL)",
        (scope, version, key, writer),
    )
    return int(rows[0][0]) if rows else None


def finish_cache(connection: Connection, number: int, *, blob: str, size: int, now: float) -> None:
    """Note where the content of a cache is: from now on it is found, and never changes."""
    connection.execute(
        "UPDATE caches SET writer = NULL, blob = ?, size = ?, created = ?, used = ? WHERE id = ?",
        (blob, size, now, now, number),
    )


def place_cache(connection: Connection, number: int, places: str) -> None:
    """Note how the version of a cache holds for every job."""
    connection.execute("UPDATE caches SET places = ? WHERE id = ?", (places, number))


def remove_caches(connection: Connection, numbers: Iterable[int]) -> None:
    """Remove caches; their blobs stay until nobody needs them."""
    connection.executemany("DELETE FROM caches WHERE id = ?", [(number,) for number in numbers])


def remove_unfinished(connection: Connection, number: int, writer: str) -> None:
    """Remove what somebody is writing."""
    connection.execute("DELETE FROM caches WHERE id = ? AND writer = ?", (number, writer))


def remove_all_unfinished(connection: Connection, writer: str) -> None:
    """Remove all that somebody is writing."""
    connection.execute("DELETE FROM caches WHERE writer = ?", (writer,))


def touch_cache(connection: Connection, number: int, now: float) -> None:
    """Note that a cache was used."""
    connection.execute("UPDATE caches SET used = ? WHERE id = ?", (now, number))


def find_caches(database: Store, scopes: Sequence[str], version: str) -> list[CacheRow]:
    """Return the finished caches of some scopes that have a version, or have it in some places."""
    rows = database.ask(
        f"SELECT {_COLUMNS} FROM caches "  # noqa: S608 (names of columns, question marks)
        "WHERE writer IS NULL AND (version = ? OR places IS NOT NULL) "
        f"AND scope IN ({marks(scopes)})",
        (version, *scopes),
    )
    return [_make(row) for row in rows]


def list_caches(database: Store) -> list[CacheRow]:
    """Return all finished caches, the newest first."""
    rows = database.ask(
        f"SELECT {_COLUMNS} FROM caches WHERE writer IS NULL "  # noqa: S608 (names of columns)
        "ORDER BY created DESC, id DESC"
    )
    return [_make(row) for row in rows]


def list_cache_blobs(database: Store) -> set[str]:
    """Return the digests of the blobs that caches need."""
    return {blob for (blob,) in database.ask("SELECT blob FROM caches WHERE blob IS NOT NULL")}


def _make(row: tuple[object, ...]) -> CacheRow:
    names = _COLUMNS.replace("cache_key", "key").split(", ")
    values: dict[str, object] = dict(zip(names, row, strict=True))
    return CacheRow(**values)  # type: ignore[arg-type]
