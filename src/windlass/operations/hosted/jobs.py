"""Giving jobs to runners: the oldest first that a runner has all labels for.

The queue is asked for the sets of labels that jobs wait for, and then for the oldest jobs of the
sets that fit: however many jobs wait, and however many of them for other runners, that takes the
same time. A job's secrets are put together when it is handed over, and are kept nowhere.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from windlass.db.jobs import (
    claim_job,
    count_running,
    list_label_sets,
    list_running,
    lock_oldest,
    renew_token,
)
from windlass.db.repositories import find_repository
from windlass.db.runners import lock_active, set_state
from windlass.db.runs import find_repository_of
from windlass.engine.server.runs import always
from windlass.errors import DatabaseError, WindlassError
from windlass.lang.casing import fold
from windlass.model.status import Result
from windlass.model.values import dataclass, replace
from windlass.operations.hosted.attempts import find_attempt
from windlass.operations.hosted.credentials import JOB, digest_credential, draw_credential
from windlass.operations.hosted.repositories import find_job_secrets
from windlass.operations.job_places import names_api
from windlass.plan.faults import PlanFault
from windlass.plan.handover import hand_over
from windlass.plan.keys import describe_fault
from windlass.protocol.assignments import Assignment, GitAccess, encode_assignment
from windlass.protocol.runner import CancelNotice, JobId, PollAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from windlass.db.connections import Connection
    from windlass.db.jobs import JobRow
    from windlass.db.runners import RunnerRow
    from windlass.operations.hosted.site import Site
    from windlass.protocol.runner import PollRequest

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Handover:
    """A job that is a runner's, and the text of its new token."""

    row: JobRow
    token: str


def name_job_id(row: JobRow) -> str:
    """Return what names a job between a server and its runners."""
    return str(JobId(row.run, row.attempt, row.number))


def answer_poll(site: Site, runner: RunnerRow, request: PollRequest) -> PollAnswer:
    """Return what a runner is to do; jobs that it is given for that are its own from now on.

    A job that it was given and does not name was lost on the way, and is sent again.

    Raises:
        PlatformError: the database cannot be used. What was claimed is sent with the next answer.
    """
    own = {name_job_id(row): row for row in list_running(site.store, runner.id)}
    drain = runner.state != "active"
    lost = [row for name, row in own.items() if name not in request.running]
    given = list(_renew_all(site, lost))
    if not drain and not request.draining:
        given += _claim(site, runner, request.free - len(lost))
    assignments = [it for it in (_hand_over(site, one) for one in given) if it is not None]
    return PollAnswer(
        assignments=tuple(assignments),
        cancel=tuple(
            CancelNotice(name, row.reason, row.forced)
            for name, row in own.items()
            if row.reason is not None and name in request.running
        ),
        gone=tuple(name for name in request.running if name not in own),
        drain=drain,
    )


def list_wanted(site: Site) -> list[frozenset[str]]:
    """Return the sets of labels, folded, that queued jobs wait for."""
    return [_fold(json.loads(labels)) for labels in list_label_sets(site.store)]


def fits(runner: RunnerRow, wanted: Iterable[frozenset[str]]) -> bool:
    """Tell whether a runner has all labels of any of some sets."""
    labels = _fold(runner.labels)
    return any(it <= labels for it in wanted)


def _fold(labels: Iterable[str]) -> frozenset[str]:
    return frozenset(map(fold, labels))


def _claim(site: Site, runner: RunnerRow, free: int) -> list[_Handover]:
    """Take the oldest jobs that a runner can run, so many at most, in one transaction."""
    if free <= 0:
        return []
    labels = _fold(runner.labels)
    sets = [it for it in list_label_sets(site.store) if _fold(json.loads(it)) <= labels]
    if not sets:
        return []
    with site.store.writing() as connection:
        free = min(free, _find_room(connection, runner))
        if free <= 0:
            return []
        found = [one for it in sets for one in lock_oldest(connection, it, free)]
        oldest = [row for _, row in sorted(found, key=lambda one: one[0])[:free]]
        given = [it for row in oldest if (it := _take(site, connection, runner, row))]
        if runner.ephemeral and given:
            # It gets no other one, whatever it says.
            set_state(connection, runner.id, "draining")
    return given


def _find_room(connection: Connection, runner: RunnerRow) -> int:
    """Return how many jobs a runner may be given, and keep it as it is: it may poll twice."""
    if not lock_active(connection, runner.id):
        return 0
    room = runner.capacity - count_running(connection, runner.id)
    return min(room, 1) if runner.ephemeral else room


def _take(site: Site, connection: Connection, runner: RunnerRow, row: JobRow) -> _Handover | None:
    token = draw_credential(JOB)
    digest = digest_credential(token)
    if not claim_job(connection, row, runner.id, site.now(), digest):
        return None
    return _Handover(replace(row, state="running", runner=runner.id, token=digest), token)


def _renew_all(site: Site, rows: list[JobRow]) -> Iterator[_Handover]:
    """Give jobs another token each: nobody knows who has seen the one that was lost."""
    for row in rows:
        token = draw_credential(JOB)
        with site.store.writing() as connection:
            renewed = renew_token(connection, row, digest_credential(token))
        if renewed:
            yield _Handover(row, token)


def _hand_over(site: Site, given: _Handover) -> Mapping[str, Any] | None:
    """Return the assignment of a job; None where it has none and ends instead."""
    try:
        return _assemble(site, given)
    except DatabaseError:
        # It is sent again when the runner asks the next time.
        raise
    except WindlassError as error:
        _log.error("%s cannot be handed over: %s", name_job_id(given.row), error)
        reason = error.message
    except Exception as error:  # noqa: BLE001 (the runner would get no other job for ever)
        _log.exception("%s cannot be handed over", name_job_id(given.row))
        reason = f"it met a fault of its own: {type(error).__name__}"
    _fail(site, given.row, f"The server could not hand the job over: {reason}")
    return None


def _fail(site: Site, row: JobRow, message: str) -> None:
    with suppress(WindlassError):
        site.runs.end_job(row, Result.FAILURE, message, always, started=False)


def _assemble(site: Site, given: _Handover) -> Mapping[str, Any] | None:
    row = given.row
    order = site.runs.find_start(row.run, row.attempt, row.job)
    if order is None:
        return None
    definition = find_attempt(site.store, row.run, row.attempt)
    repository = find_repository_of(site.store, row.run)
    own = find_job_secrets(site, repository, from_fork=definition.from_fork)
    secrets = hand_over(own, order.handovers)
    if isinstance(secrets, PlanFault):
        message = describe_fault(secrets)
        site.runs.end_job(row, Result.FAILURE, message, always, started=False)
        return None
    found = find_repository(site.store, repository)
    assignment = Assignment(
        job=JobId(row.run, row.attempt, row.number),
        # In its own key there may be a secret: a value of the matrix.
        order=replace(order, key=row.job),
        text=definition.texts[order.workflow.path],
        repository=definition.repository,
        sha=definition.event.sha,
        ref=definition.event.ref,
        git=GitAccess(repository=repository, url=f"/git/{repository}.git", token=given.token),
        secrets=secrets,
        env=definition.given.env,
        sources=definition.sources,
        places=definition.places,
        asks_api=names_api(definition.texts.values()),
        allow_host=found is not None and found.settings.get("host") is True,
    )
    return encode_assignment(assignment)
