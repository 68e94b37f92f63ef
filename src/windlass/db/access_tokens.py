"""The tokens by which people and programs use a server; of each only the digest is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store

_COLUMNS: Final = "id, name, token, created, expires, revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenRow:
    """A token: `digest` is its SHA-256 in hexadecimal digits, points in time are seconds since
    the epoch. `expires` is None for one that lasts, `revoked` for one that still counts.
    """

    id: str
    name: str
    digest: str
    created: float
    expires: float | None = None
    revoked: float | None = None


def add_access_token(connection: Connection, row: AccessTokenRow) -> None:
    """Enter a token."""
    connection.execute(
        f"INSERT INTO access_tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
        (row.id, row.name, row.digest, row.created, row.expires, row.revoked),
    )


def find_access_token(store: Store, digest: str) -> AccessTokenRow | None:
    """Return a token by its digest."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM access_tokens WHERE token = ?",  # noqa: S608
        (digest,),
    )
    return _read(rows[0]) if rows else None


def list_access_tokens(store: Store) -> list[AccessTokenRow]:
    """Return all tokens, oldest first, also those that do not count any more."""
    rows = store.ask(f"SELECT {_COLUMNS} FROM access_tokens ORDER BY created, id")  # noqa: S608
    return [_read(row) for row in rows]


def revoke_access_token(connection: Connection, key: str, now: float) -> bool:
    """Have a token, by its id, not count any more; False where there is none or it does not."""
    changed = connection.execute(
        "UPDATE access_tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", (now, key)
    )
    return changed.rowcount == 1


def remove_ended_tokens(connection: Connection, before: float) -> int:
    """Forget tokens that ended before a moment, and return how many those were."""
    removed = connection.execute(
        "DELETE FROM access_tokens WHERE revoked < ? OR expires < ?", (before, before)
    )
    return removed.rowcount


def _read(row: tuple[str, str, str, float, float | None, float | None]) -> AccessTokenRow:
    key, name, digest, created, expires, revoked = row
    return AccessTokenRow(
        id=key, name=name, digest=digest, created=created, expires=expires, revoked=revoked
    )
