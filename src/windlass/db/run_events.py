"""The journals of attempts: each signal with the orders that it led to, both as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.db.connections import Connection, Store

Entry = tuple[str, str]
"""A signal and its orders."""


def add_entries(
    connection: Connection, run: str, attempt: int, first: int, entries: Iterable[Entry]
) -> None:
    """Add entries to a journal, numbered from `first`."""
    connection.executemany(
        "INSERT INTO run_events VALUES (?, ?, ?, ?, ?)",
        [(run, attempt, first + number, *entry) for number, entry in enumerate(entries)],
    )


def count_entries(connection: Connection, run: str, attempt: int) -> int:
    """Return how many entries a journal has, which is the number of the next one."""
    ((last,),) = connection.execute(
        "SELECT max(seq) FROM run_events WHERE run = ? AND attempt = ?", (run, attempt)
    ).fetchall()
    return 0 if last is None else int(last) + 1


def read_entries(database: Store, run: str, attempt: int) -> list[Entry]:
    """Return a journal from its beginning."""
    rows = database.ask(
        "SELECT signal, orders FROM run_events WHERE run = ? AND attempt = ? ORDER BY seq",
        (run, attempt),
    )
    return [(str(signal), str(orders)) for signal, orders in rows]
