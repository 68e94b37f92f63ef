"""Which ended attempts have been counted and traced: each of them by one process, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store


def list_unobserved(store: Store, since: float, limit: int) -> list[tuple[str, int]]:
    """Return run and number of attempts that ended after a moment, those first that ended first."""
    rows = store.ask(
        "SELECT run, attempt FROM attempts WHERE finished >= ? AND NOT EXISTS "
        "(SELECT 1 FROM observations WHERE observations.run = attempts.run "
        "AND observations.attempt = attempts.attempt) ORDER BY finished LIMIT ?",
        (since, limit),
    )
    return [(str(run), int(attempt)) for run, attempt in rows]


def take_observation(connection: Connection, run: str, attempt: int) -> bool:
    """Note that this process observes an attempt; False where another one does, or has."""
    taken = connection.execute(
        "INSERT INTO observations (run, attempt) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (run, attempt),
    )
    return taken.rowcount == 1
