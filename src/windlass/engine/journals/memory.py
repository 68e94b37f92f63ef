"""A journal that lives as long as the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.engine.journals.codec import outline
from windlass.engine.journals.interface import check_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.engine.journals.interface import Outline
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


class MemoryJournal:
    """Keeps signals and outlines in a list; see `windlass.engine.journals.interface`."""

    def __init__(self) -> None:
        self._entries: list[tuple[Signal, tuple[Outline, ...]]] = []

    def append(self, sequence: int, signal: Signal, orders: Sequence[Order]) -> None:
        """Keep one signal and the orders it led to."""
        check_number(sequence, len(self._entries))
        self._entries.append((signal, self.outline(orders)))

    def signals(self) -> Iterator[Signal]:
        """Yield the signals in order."""
        return iter([signal for signal, _ in self._entries])

    def outlines(self) -> Iterator[tuple[Outline, ...]]:
        """Yield what each signal led to, in the same order."""
        return iter([outlines for _, outlines in self._entries])

    def outline(self, orders: Sequence[Order]) -> tuple[Outline, ...]:
        """Return the outlines of some orders."""
        return tuple(outline(order) for order in orders)
