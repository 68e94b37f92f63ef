"""Who runs and who waits in a concurrency group: pure, told of entering and leaving alone.

At most one member runs. By default one more waits, and whoever comes next takes its place; with
`queue: max` any number up to 100 waits in turn. `cancel-in-progress` asks the running member to
end; the newcomer still waits until it has.

Source: https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.plan.concurrency import Concurrency

MOST_WAITING: Final = 100
"""So many members wait in a group with `queue: max`.
Source: https://github.blog/changelog/2026-05-07-github-actions-concurrency-groups-now-allow-larger-queues
"""

State: TypeAlias = Literal["running", "waiting"]


@dataclass(frozen=True, slots=True)
class Member:
    """A run or a job in a group; `id` is unique among all of them."""

    id: str
    state: State


@dataclass(frozen=True, slots=True)
class Change:
    """A group after something has happened, and what it means for its members, by id.

    `displaced` waited and do so no more, `ended` run and are asked to end. `refused` tells that the
    newcomer is not among the members, since too many wait already.
    """

    members: tuple[Member, ...]
    displaced: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    refused: bool = False


def enter(members: tuple[Member, ...], newcomer: str, concurrency: Concurrency) -> Change:
    """Let one more into a group: it runs if nobody else does, else it waits.

    Members are in the order in which they came.
    """
    waiting = tuple(member for member in members if member.state == "waiting")
    running = tuple(member for member in members if member.state == "running")
    queues = concurrency.queue == "max"
    if queues and len(waiting) >= MOST_WAITING:
        return Change(members, refused=True)
    stay = members if queues else running
    return Change(
        members=promote((*stay, Member(newcomer, "waiting"))),
        displaced=() if queues else tuple(member.id for member in waiting),
        ended=tuple(member.id for member in running) if concurrency.cancel_in_progress else (),
    )


def leave(members: tuple[Member, ...], leaver: str) -> tuple[Member, ...]:
    """Take one out of a group, whether it ran or waited; who waited longest may run now."""
    return promote(tuple(member for member in members if member.id != leaver))


def promote(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """Let the member that has waited longest run, if nobody does."""
    if not members or any(member.state == "running" for member in members):
        return members
    first, *others = members
    return (Member(first.id, "running"), *others)


def describe_displacement(group: str) -> str:
    """Return why a member is cancelled for a newer one, in GitHub's words."""
    return f"Canceling since a higher priority waiting request for '{group}' exists"


def describe_refusal(group: str) -> str:
    """Return why a newcomer does not even wait."""
    return f"Canceling since {MOST_WAITING} others wait for '{group}' already"


def describe_deadlock(group: str, holder: str, member: str) -> str:
    """Return why a job may not wait for a group that what it is part of holds, as GitHub does."""
    return (
        f"Canceling since a deadlock for concurrency group '{group}' was detected between "
        f"'{holder}' and '{member}'"
    )
