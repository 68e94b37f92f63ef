"""Signals that a run has still to be told: written with what caused them, taken when it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.db.tickets import draw_ticket
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A signal, as JSON, to one attempt of a run."""

    ticket: str
    run: str
    attempt: int
    signal: str


def post_letter(connection: Connection, run: str, attempt: int, signal: str) -> None:
    """Leave a signal for a run."""
    connection.execute(
        "INSERT INTO inbox (ticket, run, attempt, signal) VALUES (?, ?, ?, ?)",
        (draw_ticket(), run, attempt, signal),
    )


def take_letter(connection: Connection, ticket: str) -> bool:
    """Take one out; False where somebody else has."""
    return connection.execute("DELETE FROM inbox WHERE ticket = ?", (ticket,)).rowcount == 1


def list_letters(store: Store, limit: int, *, after: str = "") -> list[LetterRow]:
    """Return those that have waited longest, of those behind a ticket."""
    rows = store.ask(
        "SELECT ticket, run, attempt, signal FROM inbox WHERE ticket > ? ORDER BY ticket LIMIT ?",
        (after, limit),
    )
    return [LetterRow(*row) for row in rows]
