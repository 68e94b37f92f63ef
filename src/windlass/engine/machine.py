"""What the engine drives: a state machine that takes signals and gives orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal


class Machine(Protocol):
    """A state machine: `windlass.plan.run.RunMachine`."""

    def receive(self, signal: Signal) -> Sequence[Order]:
        """Take one signal; return the orders it leads to."""
