"""A journal in a server's database, of which several processes may write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.db.run_events import add_entries, count_entries, read_entries
from windlass.engine.journals.entries import Entries
from windlass.engine.journals.interface import check_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.db.connections import Connection, Store
    from windlass.engine.journals.interface import Outline
    from windlass.engine.key_cover import KeyCover
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


class ServerJournal:
    """The journal of one attempt, which is entered; see `windlass.engine.journals.interface`."""

    def __init__(self, store: Store, run: str, attempt: int, cover: KeyCover) -> None:
        """`cover` finds names for keys of jobs that hold secrets, and hides those of reasons."""
        self._store = store
        self._run = run
        self._attempt = attempt
        self.text = Entries(cover)

    def append(self, sequence: int, signal: Signal, orders: Sequence[Order]) -> None:
        """Keep one signal and the outlines of the orders it led to."""
        with self._store.writing() as connection:
            self.add(connection, sequence, signal, orders)

    def add(
        self, connection: Connection, sequence: int, signal: Signal, orders: Sequence[Order]
    ) -> None:
        """Do the same as a part of a transaction."""
        check_number(sequence, self.count(connection))
        entry = self.text.write(signal, orders)
        add_entries(connection, self._run, self._attempt, sequence, [entry])

    def count(self, connection: Connection) -> int:
        """Return how many signals there are, which is the number of the next one."""
        return count_entries(connection, self._run, self._attempt)

    def signals(self) -> Iterator[Signal]:
        """Yield the signals in order."""
        entries = read_entries(self._store, self._run, self._attempt)
        return map(self.text.read_signal, [signal for signal, _ in entries])

    def outlines(self) -> Iterator[tuple[Outline, ...]]:
        """Yield what each signal led to, in the same order."""
        entries = read_entries(self._store, self._run, self._attempt)
        return map(self.text.read_outlines, [orders for _, orders in entries])

    def outline(self, orders: Sequence[Order]) -> tuple[Outline, ...]:
        """Return the outlines of some orders, and remember the keys they name."""
        return self.text.outline(orders)
