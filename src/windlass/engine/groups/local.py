"""Concurrency groups of all runs of a repository, which the database of local history holds.

Who waits looks again a few times a second, and drops members whose process is gone: the lock of an
attempt is free as soon as its process has ended, in whatever way.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.db.database import Database
from windlass.db.groups import MemberRow, list_members, states_of_attempt, write_members
from windlass.engine.control import send_control
from windlass.engine.groups.interface import Holder
from windlass.errors import PlatformError
from windlass.lang.casing import fold
from windlass.model.values import replace
from windlass.plan.groups import (
    Change,
    Member,
    describe_displacement,
    describe_refusal,
    enter,
    leave,
    promote,
)
from windlass.plan.signals import GroupDenied, GroupEntered, JobCancelRequested

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.engine.key_cover import KeyCover
    from windlass.errors import WindlassError
    from windlass.plan.orders import EnterGroup
    from windlass.plan.signals import Signal
    from windlass.stores.run_folders import AttemptFolder, RunFolders

LOOK_SECONDS: Final = 0.075


class LocalGroups:
    """See `windlass.engine.groups.interface`.

    The database holds digests of the names of groups; `cover` finds names for keys that hold
    secrets.
    """

    def __init__(
        self,
        send: Callable[[Signal], None],
        *,
        path: Path,
        folders: RunFolders,
        run: str,
        attempt: int,
        cover: KeyCover,
    ) -> None:
        """Take the database at `path`, which is opened when the first group is entered."""
        self.breakdowns: list[WindlassError] = []
        self._send = send
        self._path = path
        self._folders = folders
        self._run = run
        self._attempt = attempt
        self._cover = cover
        self._database: Database | None = None
        self._lock = threading.RLock()
        self._entered: dict[str, EnterGroup] = {}
        self._waiting: dict[str, EnterGroup] = {}
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def enter(self, order: EnterGroup) -> Holder | None:
        """Let a key into its group, or have it wait; others may be displaced or asked to end."""
        holder = None
        with self._lock:
            self._waiting[order.key] = order
            try:
                holder = self._join(order)
                self._look()
            except PlatformError as error:
                self._fail(order, error)
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="groups", daemon=True)
                self._thread.start()
            return holder if order.key in self._waiting else None

    def leave(self, key: str) -> None:
        """Take a key out of its group; who waited longest enters."""
        with self._lock:
            order = self._waiting.pop(key, None) or self._entered.pop(key, None)
            # A group that cannot be left is left by the end of this process.
            if order is not None:
                with suppress(PlatformError):
                    self._rewrite(order, lambda members: leave(members, self._row(key).id))

    def close(self) -> None:
        """Leave all groups and look no more."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        for key in (*self._waiting, *self._entered):
            self.leave(key)
        if self._database is not None:
            self._database.close()

    def _join(self, order: EnterGroup) -> Holder:
        """Enter one group in one transaction, tell those whom that concerns, name who is in it."""
        id_, changes = self._row(order.key).id, []

        def come(members: tuple[Member, ...]) -> tuple[Member, ...]:
            changes.append(enter(leave(members, id_), id_, order.concurrency))
            return changes[-1].members

        rows = self._rewrite(order, come)
        (change,) = changes
        self._tell(order, rows, change)
        held = next(rows[member.id] for member in change.members if member.state == "running")
        return Holder(held.run, held.job)

    def _tell(self, order: EnterGroup, rows: dict[str, MemberRow], change: Change) -> None:
        group = order.concurrency.group
        if change.refused:
            del self._waiting[order.key]
            self._send(GroupDenied(order.key, describe_refusal(group)))
        for id_ in change.ended:
            reason, row = describe_displacement(group), rows[id_]
            if self._is_own(row):
                self._send(JobCancelRequested(self._cover.uncover(row.job), reason))
            else:
                send_control(self._folder(row).control, "cancel-job", row.job, reason)

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            with self._lock:
                try:
                    for order in list(self._waiting.values()):
                        self._rewrite(order, promote, forget=False)
                    self._look()
                except PlatformError as error:
                    for order in list(self._waiting.values()):
                        self._fail(order, error)

    def _look(self) -> None:
        """Answer those whose waiting is over."""
        if not self._waiting:
            return
        states = states_of_attempt(self._open(), self._run, self._attempt)
        for key, order in list(self._waiting.items()):
            state = states.get(self._cover.cover(key))
            if state == "running":
                self._entered[key] = self._waiting.pop(key)
                self._send(GroupEntered(key))
            elif state == "displaced":
                reason = describe_displacement(order.concurrency.group)
                self.leave(key)
                self._send(GroupDenied(key, reason))
            elif state is None:
                # Somebody has begun the database anew.
                self._join(order)

    def _fail(self, order: EnterGroup, error: PlatformError) -> None:
        self._waiting.pop(order.key, None)
        self.breakdowns.append(error)
        self._send(GroupDenied(order.key, error.message))

    def _rewrite(
        self,
        order: EnterGroup,
        change: Callable[[tuple[Member, ...]], tuple[Member, ...]],
        *,
        forget: bool = True,
    ) -> dict[str, MemberRow]:
        """Change a group in one transaction; return who was in it, and the newcomer, by id.

        Members whose process is gone do not count. Those that waited and are no longer there stay
        as displaced until they have seen it, which for the order's own key is now with `forget`.
        """
        name, own = _name_in_database(order.concurrency.group), self._row(order.key)
        with self._open().writing() as connection:
            rows = [row for row in list_members(connection, name) if self._is_alive(row)]
            known = {row.id: row for row in (*rows, own)}
            before = tuple(Member(it.id, it.state) for it in rows if it.state != "displaced")
            after = change(before)
            there = {member.id for member in after}
            gone = [it for it in rows if it.id not in there and not (forget and it.id == own.id)]
            displaced = [replace(it, state="displaced") for it in gone]
            current = [replace(known[it.id], state=it.state) for it in after]
            if rows != [*displaced, *current]:
                write_members(connection, name, [*displaced, *current])
        return known

    def _open(self) -> Database:
        if self._database is not None and not self._database.is_in_place:
            self._database.close()
            self._database = None
        if self._database is None:
            self._database = Database(self._path)
        return self._database

    def _row(self, key: str) -> MemberRow:
        return MemberRow(self._run, self._attempt, self._cover.cover(key), "waiting")

    def _is_own(self, row: MemberRow) -> bool:
        return (row.run, row.attempt) == (self._run, self._attempt)

    def _is_alive(self, row: MemberRow) -> bool:
        return self._is_own(row) or self._folder(row).is_live

    def _folder(self, row: MemberRow) -> AttemptFolder:
        return self._folders.attempt(row.run, row.attempt)


def _name_in_database(group: str) -> str:
    """Return what stands for a group there: its name may be made of anything, secrets too."""
    return hashlib.sha256(fold(group).encode("utf-8", "replace")).hexdigest()
