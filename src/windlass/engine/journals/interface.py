"""The journal port: the truth about a run is the list of its signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from windlass.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal

Outline: TypeAlias = tuple[str, str]
"""What is kept of an order: its kind and its subject, see `windlass.engine.journals.codec`."""


class Journal(Protocol):
    """An append-only log of one run's signals, each with the outlines of the orders it led to.

    `append` is atomic: after it returns, both the signal and its orders are kept; if it raises,
    neither is, and the orders must not be carried out.
    """

    def append(self, sequence: int, signal: Signal, orders: Sequence[Order]) -> None:
        """Keep signal number `sequence` (from 0, without gaps) and the orders it led to.

        Raises:
            PlatformError: the journal cannot be written, or the number is already taken.
        """

    def signals(self) -> Iterator[Signal]:
        """Yield the signals in order: replaying them gives the same state and the same orders."""

    def outlines(self) -> Iterator[tuple[Outline, ...]]:
        """Yield the outlines of the orders each signal led to, one tuple for every signal."""

    def outline(self, orders: Sequence[Order]) -> tuple[Outline, ...]:
        """Return the outlines that this journal would keep.

        Whoever tells a fresh machine the signals asks this after each of them: what is kept of a
        later signal may be named after what the orders before it said.
        """


def check_number(sequence: int, expected: int) -> None:
    """Check that an entry is the next one.

    Raises:
        PlatformError: it is not.
    """
    if sequence != expected:
        raise PlatformError(
            f"the journal was given signal number {sequence} where number {expected} is next",
            hint="Two drivers may be writing the journal of one run.",
        )
