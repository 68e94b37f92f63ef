"""A journal in the database of local history, which outlives the process that writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.db.database import DamagedDatabaseError
from windlass.db.run_events import add_entries, count_entries, read_entries
from windlass.db.runs import enter_attempt, finish_attempt
from windlass.engine.journals.entries import Entries
from windlass.engine.journals.interface import check_number

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from windlass.db.database import Database
    from windlass.db.run_events import Entry
    from windlass.db.runs import AttemptRow
    from windlass.engine.journals.interface import Outline
    from windlass.engine.key_cover import KeyCover
    from windlass.model.status import Result
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


class LocalJournal:
    """The journal of one attempt; see `windlass.engine.journals.interface`.

    It remembers what it has written. So when somebody removes or damages the database while the
    run goes on, a new one gets all of this attempt: `tell` hears of a damaged one.
    """

    def __init__(
        self,
        database: Database,
        row: AttemptRow,
        tell: Callable[[str], None],
        cover: KeyCover,
    ) -> None:
        """Continue the journal of an attempt, or begin it: `row` is entered where it is not known.

        `cover` finds names for keys of jobs that hold secrets, and hides those of reasons.

        Raises:
            PlatformError: the database cannot be read or written.
        """
        self._database = database
        self._row = row
        self._tell = tell
        self._text = Entries(cover)
        self._entries: list[Entry] = read_entries(database, row.run.id, row.attempt)
        with database.writing() as connection:
            enter_attempt(connection, row)

    def append(self, sequence: int, signal: Signal, orders: Sequence[Order]) -> None:
        """Keep one signal and the outlines of the orders it led to."""
        check_number(sequence, len(self._entries))
        entry = self._text.write(signal, orders)
        self._write(lambda connection: self._add(connection, sequence, entry))
        self._entries.append(entry)

    def finish(self, finished: float, result: Result) -> None:
        """Note how the attempt has ended, and when, in seconds since the epoch.

        Raises:
            PlatformError: the database cannot be written.
        """
        run, attempt = self._row.run.id, self._row.attempt
        self._write(lambda connection: finish_attempt(connection, run, attempt, finished, result))

    def signals(self) -> Iterator[Signal]:
        """Yield the signals in order."""
        return map(self._text.read_signal, [signal for signal, _ in self._entries])

    def outlines(self) -> Iterator[tuple[Outline, ...]]:
        """Yield what each signal led to, in the same order."""
        return map(self._text.read_outlines, [orders for _, orders in self._entries])

    def outline(self, orders: Sequence[Order]) -> tuple[Outline, ...]:
        """Return the outlines of some orders, and remember the keys they name."""
        return self._text.outline(orders)

    def _add(self, connection: sqlite3.Connection, sequence: int, entry: Entry) -> None:
        run, attempt = self._row.run.id, self._row.attempt
        check_number(sequence, count_entries(connection, run, attempt))
        add_entries(connection, run, attempt, sequence, [entry])

    def _write(self, write: Callable[[sqlite3.Connection], None]) -> None:
        """Write in one transaction; where the database is gone or broken, in a new one."""
        try:
            if self._database.is_in_place:
                with self._database.writing() as connection:
                    write(connection)
                return
        except DamagedDatabaseError:
            # Opening it again finds out whether it can be used, and puts it aside if not.
            pass
        self._database.renew(self._tell)
        with self._database.writing() as connection:
            run, attempt = self._row.run.id, self._row.attempt
            enter_attempt(connection, self._row)
            known = count_entries(connection, run, attempt)
            add_entries(connection, run, attempt, known, self._entries[known:])
            write(connection)
