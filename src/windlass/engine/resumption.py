"""Taking a journal up again: what its machine had ordered that has not come to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.model.values import dataclass
from windlass.plan.orders import CancelJob, EnterGroup, FinishRun, LeaveGroup, StartJob
from windlass.plan.signals import GroupDenied, GroupEntered, JobFinished

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.engine.journals.interface import Journal
    from windlass.engine.machine import Machine
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a driver goes on: after `count` signals, by carrying out `orders` again.

    These are the groups that were waited for, the jobs that were started and have not ended, each
    with its cancellation if there was one, and whatever the last signal led to: nobody knows
    whether that was carried out. The groups of `held` had been entered, and have to be so again
    before anything in them goes on.
    """

    count: int
    orders: tuple[Order, ...] = ()
    held: tuple[EnterGroup, ...] = ()

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
    waiting: dict[str, EnterGroup] = {}
    held: dict[str, EnterGroup] = {}
    count = 0
    last: tuple[Order, ...] = ()
    for signal, last in replay(machine, journal):
        _keep_pending(pending, signal, last)
        _keep_groups(waiting, held, signal, last)
        count += 1
    again = (*waiting.values(), *(order for orders in pending.values() for order in orders))
    known = {id(order) for order in again}
    rest = tuple(order for order in last if id(order) not in known)
    return Resumption(count, (*again, *rest), tuple(held.values()))


def _keep_pending(pending: dict[str, list[Order]], signal: Signal, orders: Sequence[Order]) -> None:
    """Note the jobs that were started, and forget those that ended."""
    if isinstance(signal, JobFinished):
        pending.pop(signal.key, None)
    for order in orders:
        if isinstance(order, StartJob):
            pending[order.key] = [order]
        elif isinstance(order, CancelJob) and order.key in pending:
            pending[order.key].append(order)


def _keep_groups(
    waiting: dict[str, EnterGroup],
    held: dict[str, EnterGroup],
    signal: Signal,
    orders: Sequence[Order],
) -> None:
    """Note the groups that were asked for and entered; forget those that were left or denied."""
    if isinstance(signal, GroupEntered) and signal.key in waiting:
        held[signal.key] = waiting.pop(signal.key)
    elif isinstance(signal, GroupDenied):
        waiting.pop(signal.key, None)
    for order in orders:
        if isinstance(order, EnterGroup):
            waiting[order.key] = order
        elif isinstance(order, LeaveGroup):
            waiting.pop(order.key, None)
            held.pop(order.key, None)
