"""Concurrency groups of a single run, which nobody else is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.engine.groups.interface import Holder
from windlass.lang.casing import fold
from windlass.plan.groups import Member, describe_displacement, describe_refusal, enter, leave
from windlass.plan.signals import GroupDenied, GroupEntered, JobCancelRequested

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.errors import WindlassError
    from windlass.plan.orders import EnterGroup
    from windlass.plan.signals import Signal


class MemoryGroups:
    """See `windlass.engine.groups.interface`; for the thread of the run alone."""

    def __init__(self, send: Callable[[Signal], None]) -> None:
        self.breakdowns: list[WindlassError] = []
        self._send = send
        self._groups: dict[str, tuple[Member, ...]] = {}

    def enter(self, order: EnterGroup) -> Holder | None:
        """Let a key into its group, or have it wait."""
        group, before = order.concurrency.group, self._members(order.concurrency.group)
        change = enter(before, order.key, order.concurrency)
        if change.refused:
            self._send(GroupDenied(order.key, describe_refusal(group)))
            return None
        for key in change.displaced:
            self._send(GroupDenied(key, describe_displacement(group)))
        for key in change.ended:
            self._send(JobCancelRequested(key, describe_displacement(group)))
        self._change(fold(group), before, change.members)
        if Member(order.key, "waiting") not in change.members:
            return None
        return next(Holder("", it.id) for it in change.members if it.state == "running")

    def leave(self, key: str) -> None:
        """Take a key out of its group; who waited longest enters."""
        for name, members in list(self._groups.items()):
            if any(member.id == key for member in members):
                self._change(name, members, leave(members, key))

    def close(self) -> None:
        """Forget all groups."""
        self._groups.clear()

    def _members(self, group: str) -> tuple[Member, ...]:
        return self._groups.get(fold(group), ())

    def _change(self, name: str, before: tuple[Member, ...], after: tuple[Member, ...]) -> None:
        self._groups[name] = after
        for member in after:
            if member.state == "running" and member not in before:
                self._send(GroupEntered(member.id))
