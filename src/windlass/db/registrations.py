"""Tokens by which a machine becomes a runner, each once; of each only the digest is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store


def add_registration(
    connection: Connection, digest: str, patience: float, now: float, expires: float
) -> None:
    """Enter a token that is good until it expires, of a runner that may be silent for so long."""
    connection.execute(
        "INSERT INTO registrations (token, patience, created, expires) VALUES (?, ?, ?, ?)",
        (digest, patience, now, expires),
    )


def use_registration(connection: Connection, digest: str, runner: str, now: float) -> float | None:
    """Use a token up for a runner; return the patience with that one.

    None where the token is not good any more.
    """
    changed = connection.execute(
        "UPDATE registrations SET used = ?, runner = ? "
        "WHERE token = ? AND used IS NULL AND expires > ?",
        (now, runner, digest, now),
    )
    if changed.rowcount != 1:
        return None
    ((patience,),) = connection.execute(
        "SELECT patience FROM registrations WHERE token = ?", (digest,)
    ).fetchall()
    return float(patience)


def find_user(store: Store, digest: str, now: float) -> str | None:
    """Return the runner that has used a token up which would be good still."""
    rows = store.ask(
        "SELECT runner FROM registrations WHERE token = ? AND expires > ?", (digest, now)
    )
    return rows[0][0] if rows else None


def remove_registrations(connection: Connection, before: float) -> int:
    """Forget tokens that expired before a moment; return how many."""
    return connection.execute("DELETE FROM registrations WHERE expires < ?", (before,)).rowcount
