"""Taking a journal up again: what its machine had ordered that has not come to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.model.values import dataclass
from windlass.plan.orders import CancelJob, EnterGroup, FinishRun, LeaveGroup, StartJob
from windlass.plan.signals import GroupDenied, JobFinished

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

    @property
    def due(self) -> frozenset[str]:
        """The keys of the jobs that have not come to an end."""
        return frozenset(order.key for order in self.orders if not isinstance(order, FinishRun))


UNBEGUN: Final = Resumption(0)


def replay(machine: Machine, journal: Journal) -> Iterator[tuple[Signal, tuple[Order, ...]]]:
    """Tell a fresh machine everything that a journal holds; yield each signal with its orders.

    Raises:
        PlatformError: the machine decides otherwise than the one that wrote the journal.
    """
    outlines = journal.outlines()
    for number, signal in enumerate(journal.signals()):
        orders = tuple(machine.receive(signal))
        if journal.outline(orders) != next(outlines):
            raise PlatformError(
                f"the run cannot be taken up: signal number {number} of its journal now leads to "
                "other orders than it did",
                hint="another version of Windlass began the run; start the run anew",
            )
        yield signal, orders


def resume(machine: Machine, journal: Journal) -> Resumption:
    """Tell a fresh machine everything that the journal holds.

    Raises:
        PlatformError: the machine decides otherwise than the one that wrote the journal.
    """
    pending: dict[str, list[Order]] = {}
    groups: dict[str, EnterGroup] = {}
    count = 0
    last: tuple[Order, ...] = ()
    for signal, last in replay(machine, journal):
        _keep_pending(pending, signal, last)
        _keep_groups(groups, signal, last)
        count += 1
    # Groups first: what is in one must be so again before it goes on.
    again = (*groups.values(), *(order for orders in pending.values() for order in orders))
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


def _keep_groups(groups: dict[str, EnterGroup], signal: Signal, orders: Sequence[Order]) -> None:
    """Note the groups that were asked for; forget those that were left or never entered."""
    if isinstance(signal, GroupDenied):
        groups.pop(signal.key, None)
    for order in orders:
        if isinstance(order, EnterGroup):
            groups[order.key] = order
        elif isinstance(order, LeaveGroup):
            groups.pop(order.key, None)
