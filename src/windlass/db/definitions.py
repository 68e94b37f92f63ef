"""What the attempts of a server's runs are made of: JSON of `windlass.operations.definitions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store


def add_definition(connection: Connection, run: str, attempt: int, definition: str) -> None:
    """Keep the definition of an attempt that is entered."""
    connection.execute(
        "INSERT INTO definitions (run, attempt, definition) VALUES (?, ?, ?)",
        (run, attempt, definition),
    )


def find_definition(store: Store, run: str, attempt: int) -> str | None:
    """Return the definition of an attempt; None where there is no such attempt."""
    rows = store.ask(
        "SELECT definition FROM definitions WHERE run = ? AND attempt = ?", (run, attempt)
    )
    return str(rows[0][0]) if rows else None
