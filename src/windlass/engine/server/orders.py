"""What a server keeps of an order of a run's machine: rows, in the transaction of the signal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal

from windlass.db.announcements import add_announcements
from windlass.db.groups import MemberRow
from windlass.db.jobs import (
    ask_to_end,
    disown_job,
    drop_job,
    end_job,
    force_to_end,
    queue_job,
)
from windlass.db.reports import ask_report
from windlass.db.runs import find_start, finish_attempt
from windlass.engine.announcements import announce, describe_end
from windlass.engine.server.groups import enter_group, leave_groups
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.plan.orders import CancelJob, DropJob, EnterGroup, FinishRun, LeaveGroup, StartJob
from windlass.plan.signals import JobFinished
from windlass.protocol import events
from windlass.protocol.event_lines import write_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.db.connections import Connection
    from windlass.db.jobs import JobRow
    from windlass.engine.server.runs import Staged
    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal
    from windlass.protocol.events import RunEvent

_FORCED: Final = "The run was asked to end at once"


def keep_order(
    connection: Connection, run: str, attempt: int, staged: Staged, order: Order
) -> Iterator[Signal]:
    """Carry an order out as far as the database is concerned; yield what answers it at once."""
    now = time.time()
    _say(connection, run, attempt, order)
    match order:
        case StartJob() if end := staged.kept.get(order.key):
            told = replace(describe_end(end, order.name), kept=True)
            add_announcements(connection, run, attempt, [write_event(told, now)])
            yield end
        case StartJob() if staged.forced:
            _say(connection, run, attempt, DropJob(order.key, order.name, _FORCED, order.path))
            yield JobFinished(order.key, Result.CANCELLED)
        case StartJob():
            job = staged.cover.cover(order.key)
            queue_job(connection, run, attempt, job, order.labels, now)
        case CancelJob():
            yield from _cancel(connection, run, attempt, staged, order)
        case EnterGroup():
            member = MemberRow(run, attempt, staged.cover.cover(order.key), "waiting")
            answer = enter_group(connection, member, staged.repository, order.concurrency)
            if answer is not None:
                yield replace(answer, key=order.key)
        case LeaveGroup():
            leave_groups(connection, run, attempt, staged.cover.cover(order.key))
        case FinishRun():
            leave_groups(connection, run, attempt)
            _finish(connection, run, attempt, order.result, now)
        case _:
            pass


def force_all(
    connection: Connection, run: str, attempt: int, staged: Staged, reason: str
) -> Iterator[Signal]:
    """End the jobs that wait for a runner, and have all end that run."""
    for job, order in staged.starts.items():
        if drop_job(connection, run, attempt, job):
            _say(connection, run, attempt, DropJob(order.key, order.name, reason, order.path))
            yield JobFinished(order.key, Result.CANCELLED)
    # Whoever was just given one of them meanwhile is told as well.
    force_to_end(connection, run, attempt, reason)


def _cancel(
    connection: Connection, run: str, attempt: int, staged: Staged, order: CancelJob
) -> Iterator[Signal]:
    job = staged.cover.cover(order.key)
    if drop_job(connection, run, attempt, job):
        _say(connection, run, attempt, DropJob(order.key, order.key, order.reason))
        yield JobFinished(order.key, Result.CANCELLED)
    else:
        ask_to_end(connection, run, attempt, job, order.reason)


def _finish(connection: Connection, run: str, attempt: int, result: Result, now: float) -> None:
    finish_attempt(connection, run, attempt, now, result)
    ask_report(connection, run, attempt, "end")
    seconds = max(0.0, now - find_start(connection, run, attempt))
    end = events.RunFinished(run=run, result=result, seconds=seconds)
    add_announcements(connection, run, attempt, [write_event(end, now)])


def break_off(
    connection: Connection,
    run: str,
    attempt: int,
    jobs: Sequence[JobRow],
    result: Result,
    reason: str,
) -> None:
    """End an attempt whose machine nobody can bring to where it was; `jobs` are all of its own."""
    now = time.time()
    told: list[RunEvent] = [events.Annotation(job="", step="", level="error", message=reason)]
    for row in jobs:
        if end_job(connection, run, attempt, row.job, row.number):
            disown_job(connection, row)
            told.append(
                events.JobFinished(
                    job=row.job,
                    name=row.job,
                    result=result,
                    seconds=0.0,
                    started=row.state == "running",
                )
            )
    add_announcements(connection, run, attempt, [write_event(it, now) for it in told])
    leave_groups(connection, run, attempt)
    _finish(connection, run, attempt, result, now)


def tell_of(
    connection: Connection,
    row: JobRow,
    message: str,
    level: Literal["error", "warning"],
    *more: RunEvent,
) -> None:
    """Tell onlookers of a job what its runner does not."""
    note = events.Annotation(job=row.job, step="", level=level, message=message)
    lines = [write_event(event, time.time()) for event in (note, *more)]
    add_announcements(connection, row.run, row.attempt, lines)


def _say(connection: Connection, run: str, attempt: int, order: Order) -> None:
    lines = [write_event(event, time.time()) for event in announce(order)]
    if lines:
        add_announcements(connection, run, attempt, lines)
