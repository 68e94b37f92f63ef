"""Schedules of a server: read from default branches, told as deliveries when their time comes."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from windlass.db.followers import note_followed
from windlass.db.schedules import (
    ScheduleRow,
    list_due,
    list_schedules,
    move_schedule,
    note_scheduled,
    replace_schedules,
)
from windlass.engine.server.changes import EFFECTS
from windlass.errors import InputError, InvalidError
from windlass.events.checkouts import check_out, find_workflows
from windlass.events.schedules import CATCH_UP_SECONDS, DEFAULT_ZONE, find_next, judge_due
from windlass.operations.hosted.deliveries import enter_delivery
from windlass.operations.hosted.followers import list_followed
from windlass.operations.loading import load_workflows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.db.repositories import RepositoryRow
    from windlass.events.mirrors import Mirrors
    from windlass.lang.workflow.model import Workflow
    from windlass.operations.hosted.site import Site

_log = logging.getLogger(__name__)


def read_schedules(site: Site, mirrors: Mirrors, repository: RepositoryRow) -> int:
    """Set the schedules of a repository to those of its default branch; return how many there are.

    Raises:
        PlatformError: git or the database failed.
    """
    while True:
        files, workflows = _load(site, mirrors, repository)
        rows = [row for it in workflows for row in _list_rows(site, repository.id, it)]
        with site.store.writing() as connection:
            replace_schedules(connection, repository.id, rows)
            note_followed(connection, repository.id, list_followed(workflows))
            note_scheduled(connection, repository.id, files)
        # A push that came meanwhile may have been compared with what was noted before.
        if _find_files(mirrors, repository) == files:
            return len(rows)


def fire_schedules(site: Site, catch_up: float = CATCH_UP_SECONDS) -> int:
    """Write down the events of all schedules whose time has come; return how many those are.

    Of times that were missed, the last is made up for if it is no more than `catch_up` seconds ago.

    Raises:
        PlatformError: the database cannot be used.
    """
    now = site.now()
    count = sum(_fire(site, row, now, catch_up) for row in list_due(site.store, now))
    if count:
        site.changes.tell(EFFECTS)
    return count


def realign_schedules(site: Site) -> int:
    """Move up the schedules whose next time is later than it should be; return how many those are.

    So it is when the clock was set back: without this they would wait for a time that had come.

    Raises:
        PlatformError: the database cannot be used.
    """
    now, count = site.now(), 0
    for row in list_schedules(site.store):
        try:
            due = find_next(row.cron, row.timezone, now)
        except InvalidError:
            continue
        if due < row.due:
            with site.store.writing() as connection:
                count += move_schedule(connection, row, due)
    return count


def _fire(site: Site, row: ScheduleRow, now: float, catch_up: float) -> bool:
    try:
        tick = judge_due(row.cron, row.timezone, row.due, now, catch_up)
    except InvalidError as error:
        # It could be read once: Windlass, or the time zones of this machine, have changed.
        _log.warning("a schedule of %s is put off: %s", row.path, error.message)
        with site.store.writing() as connection:
            move_schedule(connection, row, now + catch_up)
        return False
    payload = json.dumps({"schedule": row.cron, "workflow": row.path})
    guid = f"schedule/{row.path}/{row.cron}/{row.timezone}/{tick.fire or row.due:.0f}"
    with site.store.writing() as connection:
        if not move_schedule(connection, row, tick.next):
            return False
        if tick.fire is None:
            _log.warning("%s missed its time of '%s' by %.0f s", row.path, row.cron, now - row.due)
            return False
        return enter_delivery(site, connection, row.repository, guid, "schedule", payload).new


def _find_files(mirrors: Mirrors, repository: RepositoryRow) -> str:
    """Return the tree of workflow files of a default branch; empty where it has none."""
    objects = mirrors.read(repository.id)
    if objects is None:
        return ""
    with objects:
        return find_workflows(objects, f"refs/heads/{repository.default_branch}")


def _load(
    site: Site, mirrors: Mirrors, repository: RepositoryRow
) -> tuple[str, tuple[Workflow, ...]]:
    """Return the tree of workflow files of a default branch, and those that can be read."""
    objects = mirrors.read(repository.id)
    if objects is None:
        return "", ()
    with objects:
        sha = objects.find_commit(f"refs/heads/{repository.default_branch}")
        files = find_workflows(objects, sha) if sha else ""
        if sha is None or not files:
            return files, ()
        try:
            with check_out(objects, site.data / "planning", sha) as root:
                return files, load_workflows(root).workflows
        except InputError as error:
            _log.warning("no schedules are read of %s: %s", repository.name, error.message)
            return files, ()


def _list_rows(site: Site, repository: str, workflow: Workflow) -> Iterator[ScheduleRow]:
    for schedule in workflow.triggers.schedules:
        timezone = schedule.timezone or DEFAULT_ZONE
        try:
            due = find_next(schedule.cron, timezone, site.now())
        except InvalidError as error:
            _log.warning("%s starts at no time: %s", workflow.path, error.message)
            continue
        yield ScheduleRow(
            repository=repository,
            path=workflow.path,
            cron=schedule.cron,
            timezone=timezone,
            due=due,
        )
