"""What onlookers are told about orders that start nothing. A job that runs tells of itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from windlass.model.status import Result
from windlass.plan.orders import DropJob, FinishRun, RejectJob, SkipJob
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.engine.groups.interface import Holder
    from windlass.errors import WindlassError
    from windlass.plan.orders import EnterGroup, Order, StartJob
    from windlass.plan.signals import JobFinished


def announce(order: Order) -> tuple[events.RunEvent, ...]:
    """Return the events that an order is; none for those that other events will tell about."""
    match order:
        case SkipJob(key, known_as, decision):
            return (events.JobSkipped(job=key, name=known_as, reason=decision.reason),)
        case RejectJob(key, known_as, message):
            return _fail(key, known_as, message)
        case DropJob(key, known_as, reason):
            return (_cancel(key, known_as, reason),)
        case FinishRun(_, reason) if reason:
            return (events.Annotation(job="", step="", level="error", message=reason),)
        case _:
            return ()


def announce_wait(order: EnterGroup, holder: Holder) -> events.Waiting:
    """Return the event that somebody has to wait for a group, and who is in it."""
    return events.Waiting(
        job=order.key,
        name=order.name,
        group=order.concurrency.group,
        holder_run=holder.run,
        holder_job=holder.job,
    )


def announce_breakdown(order: StartJob, error: WindlassError) -> tuple[events.RunEvent, ...]:
    """Return the events about a job that the platform could not carry to its end."""
    message = error.message if error.hint is None else f"{error.message}. {error.hint}"
    return _fail(order.key, order.name, message)


def describe_end(signal: JobFinished, name: str) -> events.JobFinished:
    """Return what is told of a job that ended earlier."""
    return events.JobFinished(
        job=signal.key,
        name=name,
        result=signal.result,
        seconds=0.0,
        outputs=signal.outputs,
        started=signal.started,
    )


def serialise(emit: Callable[[events.RunEvent], None]) -> Callable[[events.RunEvent], None]:
    """Return an `emit` that may be called from many threads: one event at a time gets through."""
    lock = threading.Lock()

    def emit_alone(event: events.RunEvent) -> None:
        with lock:
            emit(event)

    return emit_alone


def _cancel(key: str, name: str, reason: str) -> events.RunEvent:
    return events.JobFinished(
        job=key, name=name, result=Result.CANCELLED, seconds=0.0, reason=reason
    )


def _fail(key: str, name: str, message: str) -> tuple[events.RunEvent, ...]:
    return (
        events.Annotation(job=key, step="", level="error", message=message),
        events.JobFinished(job=key, name=name, result=Result.FAILURE, seconds=0.0, started=False),
    )
