"""What onlookers of an attempt are told, in order: lines of `windlass.protocol.event_lines`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.db.connections import Connection, Store


def add_announcements(connection: Connection, run: str, attempt: int, lines: Sequence[str]) -> None:
    """Add lines behind those that are there; the attempt's row has to be locked."""
    ((last,),) = connection.execute(
        "SELECT max(seq) FROM announcements WHERE run = ? AND attempt = ?", (run, attempt)
    ).fetchall()
    first = 0 if last is None else int(last) + 1
    connection.executemany(
        "INSERT INTO announcements (run, attempt, seq, line) VALUES (?, ?, ?, ?)",
        [(run, attempt, first + number, line) for number, line in enumerate(lines)],
    )


def read_announcements(
    store: Store, run: str, attempt: int, first: int = 0, limit: int | None = None
) -> list[str]:
    """Return the lines from number `first` on; no more than `limit`."""
    question = "SELECT line FROM announcements WHERE run = ? AND attempt = ? AND seq >= ?"
    values: list[str | int] = [run, attempt, first]
    if limit is not None:
        # By number, not by count: they follow each other without a gap.
        question += " AND seq < ?"
        values.append(first + limit)
    return [str(line) for (line,) in store.ask(f"{question} ORDER BY seq", values)]


def read_page(
    store: Store, run: str, attempt: int, first: int, limit: int, letters: int
) -> list[str]:
    """Return no more than `limit` lines from number `first` on; fewer where they are long.

    All but the first have room in so many letters: a line may be megabytes.
    """
    count = size = 0
    for (length,) in store.ask(
        "SELECT length(line) FROM announcements "
        "WHERE run = ? AND attempt = ? AND seq >= ? AND seq < ? ORDER BY seq",
        (run, attempt, first, first + limit),
    ):
        size += length
        if count and size > letters:
            break
        count += 1
    return read_announcements(store, run, attempt, first, count) if count else []


def count_announcements(store: Store, run: str, attempt: int) -> int:
    """Return how many lines there are, which is the number of the next one."""
    ((last,),) = store.ask(
        "SELECT max(seq) FROM announcements WHERE run = ? AND attempt = ?", (run, attempt)
    )
    return 0 if last is None else int(last) + 1
