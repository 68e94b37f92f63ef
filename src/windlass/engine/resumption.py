"""Taking a journal up again: what its machine had ordered that has not come to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.model.values import dataclass
from windlass.plan.orders import CancelJob, StartJob
from windlass.plan.signals import JobFinished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.engine.driver import Machine
    from windlass.engine.journals.interface import Journal
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a driver goes on: after `count` signals, by carrying out `orders` again.

    These are the jobs that were started and have not ended, each with its cancellation if there was
    one, and whatever the last signal led to: nobody knows whether that was carried out.
    """

    count: int
    orders: tuple[Order, ...] = ()


UNBEGUN: Final = Resumption(0)


def resume(machine: Machine, journal: Journal) -> Resumption:
    """Tell a fresh machine everything that the journal holds.

    Raises:
        PlatformError: the machine decides otherwise than the one that wrote the journal.
    """
    pending: dict[str, list[Order]] = {}
    count = 0
    last: tuple[Order, ...] = ()
    outlines = journal.outlines()
    for signal in journal.signals():
        last = tuple(machine.receive(signal))
        if journal.outline(last) != next(outlines):
            raise PlatformError(
                f"the run cannot be resumed: signal number {count} of its journal now leads to "
                "other orders than it did",
                hint="another version of Windlass began the run; `windlass rerun` starts it anew",
            )
        _keep_pending(pending, signal, last)
        count += 1
    again = tuple(order for orders in pending.values() for order in orders)
    return Resumption(count, (*again, *(order for order in last if order not in again)))


def _keep_pending(pending: dict[str, list[Order]], signal: Signal, orders: Sequence[Order]) -> None:
    """Note the jobs that were started, and forget those that ended."""
    if isinstance(signal, JobFinished):
        pending.pop(signal.key, None)
    for order in orders:
        if isinstance(order, StartJob):
            pending[order.key] = [order]
        elif isinstance(order, CancelJob) and order.key in pending:
            pending[order.key].append(order)
