"""What becomes of a job whose runner is lost: it ends, or is queued again.

Steps of a workflow are never repeated unless it says so: a job is queued again where its own `env`
has `WINDLASS_REPEATABLE: 'true'`. One that was asked to end ends as cancelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.engine.server.runs import StrandedError
from windlass.lang.tokens import BooleanToken, StringToken, entries_of
from windlass.model.status import Result
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.db.jobs import JobRow
    from windlass.engine.server.runs import Condition, ServerRuns
    from windlass.plan.orders import StartJob

REPEATABLE: Final = "WINDLASS_REPEATABLE"


@dataclass(frozen=True, slots=True)
class Loss:
    """A job as it was taken, a sentence about what became of its runner, and what must hold."""

    job: JobRow
    reason: str
    condition: Condition


def lose_job(runs: ServerRuns, loss: Loss) -> bool:
    """End a job or queue it again; False where it is not that runner's any more.

    Raises:
        PlatformError: the database cannot be used.
    """
    row = loss.job
    if row.reason is not None:
        message = f"{loss.reason} when the job was to end: {row.reason}"
        return runs.end_job(row, Result.CANCELLED, message, loss.condition, started=True)
    try:
        order = runs.find_start(row.run, row.attempt, row.job)
    except StrandedError:
        # The end of the job is the end of the run.
        order = None
    if order is not None and is_repeatable(order):
        message = f"{loss.reason}; the job is repeatable and waits for another"
        return runs.queue_again(row, message, loss.condition)
    return runs.end_job(row, Result.FAILURE, loss.reason, loss.condition, started=True)


def is_repeatable(order: StartJob) -> bool:
    """Tell whether a job may be started a second time within one attempt."""
    for name, value in entries_of(order.job.env):
        if isinstance(name, StringToken) and name.value == REPEATABLE:
            is_true = isinstance(value, BooleanToken) and value.value
            return is_true or (isinstance(value, StringToken) and value.value == "true")
    return False
