"""Concurrency groups of all runs of a server, changed in the transaction of who enters or leaves.

What that means for others is left in their inbox.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from windlass.db.groups import (
    MemberRow,
    forget_group,
    groups_of,
    list_members,
    lock_group,
    write_members,
)
from windlass.db.inbox import post_letter
from windlass.engine.journals.codec import encode_signal
from windlass.lang.casing import fold
from windlass.plan.groups import (
    Member,
    describe_displacement,
    describe_refusal,
    enter,
    leave,
)
from windlass.plan.signals import GroupDenied, GroupEntered, JobCancelRequested

if TYPE_CHECKING:
    from windlass.db.connections import Connection
    from windlass.plan.concurrency import Concurrency
    from windlass.plan.signals import Signal


def enter_group(
    connection: Connection, newcomer: MemberRow, repository: str, concurrency: Concurrency
) -> GroupEntered | GroupDenied | None:
    """Let a job or a run into a group of its repository; return its answer, None while it waits."""
    group = _name(repository, concurrency.group)
    lock_group(connection, group)
    rows = {row.id: row for row in list_members(connection, group)}
    change = enter(_members(rows), newcomer.id, concurrency)
    if change.refused:
        return GroupDenied(newcomer.job, describe_refusal(concurrency.group))
    reason = describe_displacement(concurrency.group)
    for id_ in change.displaced:
        _post(connection, rows[id_], GroupDenied(rows[id_].job, reason))
    for id_ in change.ended:
        _post(connection, rows[id_], JobCancelRequested(rows[id_].job, reason))
    rows[newcomer.id] = newcomer
    _write(connection, group, rows, change.members)
    is_in = any(it.id == newcomer.id and it.state == "running" for it in change.members)
    return GroupEntered(newcomer.job) if is_in else None


def leave_groups(connection: Connection, run: str, attempt: int, job: str | None = None) -> None:
    """Take a job of an attempt out of its group, or all that the attempt has in any."""
    for group in groups_of(connection, run, attempt, job):
        lock_group(connection, group)
        rows = {row.id: row for row in list_members(connection, group)}
        leavers = [
            row
            for row in rows.values()
            if (row.run, row.attempt) == (run, attempt) and job in (None, row.job)
        ]
        members = _members(rows)
        for leaver in leavers:
            members = leave(members, leaver.id)
        for member in members:
            if member.state == "running" and rows[member.id].state == "waiting":
                _post(connection, rows[member.id], GroupEntered(rows[member.id].job))
        _write(connection, group, rows, members)


def _name(repository: str, group: str) -> str:
    """Return what a group is called in the database: its own name may be made of anything."""
    text = f"{repository}\0{fold(group)}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _members(rows: dict[str, MemberRow]) -> tuple[Member, ...]:
    return tuple(Member(row.id, row.state) for row in rows.values() if row.state != "displaced")


def _write(
    connection: Connection,
    group: str,
    rows: dict[str, MemberRow],
    members: tuple[Member, ...],
) -> None:
    known = [(rows[member.id], member.state) for member in members]
    write_members(
        connection, group, [MemberRow(row.run, row.attempt, row.job, it) for row, it in known]
    )
    if not known:
        forget_group(connection, group)


def _post(connection: Connection, row: MemberRow, signal: Signal) -> None:
    post_letter(connection, row.run, row.attempt, encode_signal(signal))
