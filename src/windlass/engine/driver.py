"""The only loop: a signal comes in, the machine answers with orders, both are kept, then done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.engine.resumption import UNBEGUN
from windlass.plan.orders import FinishRun
from windlass.plan.signals import RunStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.engine.journals.interface import Journal
    from windlass.engine.machine import Machine
    from windlass.engine.resumption import Resumption
    from windlass.model.status import Result
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


def drive(
    machine: Machine,
    *,
    journal: Journal,
    next_signal: Callable[[], Signal],
    carry_out: Callable[[Order], None],
    resumption: Resumption = UNBEGUN,
) -> Result:
    """Run one machine to `FinishRun` and return the run's result.

    It begins with `RunStarted` or, for a machine that was told a journal's signals again, with the
    orders of the `resumption`. `next_signal` waits for what happens next. `carry_out` must not
    wait: it starts what takes time and lets the end of it come back as a signal. An order is
    carried out only once the journal has it, so whoever reads the journal later knows at least as
    much as the world.

    Raises:
        PlatformError: the journal cannot be written.
    """
    sequence = resumption.count
    orders: Sequence[Order] = resumption.orders
    while True:
        for order in orders:
            carry_out(order)
            if isinstance(order, FinishRun):
                return order.result
        signal = next_signal() if sequence else RunStarted()
        orders = machine.receive(signal)
        journal.append(sequence, signal, orders)
        sequence += 1
