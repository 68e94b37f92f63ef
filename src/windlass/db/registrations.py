"""Tokens by which a machine becomes a runner, each once; of each only the digest is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windlass.db.connections import Connection


def add_registration(
    connection: Connection, digest: str, patience: float, now: float, expires: float
) -> None:
    """Enter a token that is good until it expires, of a runner that may be silent for so long."""
    connection.execute(
        "INSERT INTO registrations (token, patience, created, expires) VALUES (?, ?, ?, ?)",
        (digest, patience, now, expires),
    )


def use_registration(connection: Connection, digest: str, now: float) -> float | None:
    """Use a token up; return the patience with its runner, None where it is not good any more."""
    changed = connection.execute(
        "UPDATE registrations SET used = ? WHERE token = ? AND used IS NULL AND expires > ?",
        (now, digest, now),
    )
    if changed.rowcount != 1:
        return None
    ((patience,),) = connection.execute(
        "SELECT patience FROM registrations WHERE token = ?", (digest,)
    ).fetchall()
    return float(patience)


def remove_registrations(connection: Connection, before: float) -> int:
    """Forget tokens that expired before a moment; return how many."""
    return connection.execute("DELETE FROM registrations WHERE expires < ?", (before,)).rowcount
