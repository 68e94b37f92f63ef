"""A journal that lives as long as the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


class MemoryJournal:
    """Keeps signals and orders in a list; see `windlass.engine.journals.interface`."""

    def __init__(self) -> None:
        self._entries: list[tuple[Signal, tuple[Order, ...]]] = []

    def append(self, sequence: int, signal: Signal, orders: Sequence[Order]) -> None:
        """Keep one signal and the orders it led to."""
        expected = len(self._entries)
        if sequence != expected:
            raise PlatformError(
                f"the journal was given signal number {sequence} where number {expected} is next",
                hint="Two drivers may be writing the journal of one run.",
            )
        self._entries.append((signal, tuple(orders)))

    def signals(self) -> Iterator[Signal]:
        """Yield the signals in order."""
        return iter([signal for signal, _ in self._entries])

    def orders(self) -> Iterator[tuple[Order, ...]]:
        """Yield what each signal led to, in the same order."""
        return iter([orders for _, orders in self._entries])
