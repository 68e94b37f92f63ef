"""After a runner was killed: its jobs are ended, and the server is told what became of them.

The supervisors end the processes of the jobs and bring their logs to their ends
(`windlass.jobs.supervisor`); nobody goes on with a job whose runner has died. What the server does
not have yet is in the records, and is sent by the next process that is this runner.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.jobs.supervisor.sweep import sweep
from windlass.jobs.workspaces.removal import remove_folder
from windlass.model.status import Result
from windlass.operations.tidying import sweep_daemons
from windlass.protocol import events
from windlass.protocol.event_lines import read_event, write_event
from windlass.protocol.runner import EndRequest
from windlass.runner.records import list_records
from windlass.stores.state_folder import WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from windlass.protocol.events import RunEvent
    from windlass.runner.identity import RunnerState
    from windlass.runner.records import JobRecord

MESSAGE: Final = (
    "The runner was killed while it ran this job, and the job was ended with it. What it had "
    "printed is in the log."
)


def recover(state: RunnerState, tell: Callable[[str], None]) -> list[JobRecord]:
    """End what an earlier process of this runner has left; return what is still to be told.

    Raises:
        PlatformError: something of it cannot be written.
    """
    try:
        sweep(state.runs)
    except OSError as error:
        raise PlatformError(
            f"what killed jobs have left in {state.runs} cannot be ended: {error}"
        ) from error
    sweep_daemons(tell)
    for work in state.repositories.glob(f"*/{WORK}"):
        with suppress(OSError):
            remove_folder(work)
    return [record for record in list_records(state.runs) if _complete(record)]


def _complete(record: JobRecord) -> bool:
    """Say how a job has ended where nobody could; False where nobody has heard of it at all."""
    record.make()
    if record.read_end() is not None:
        return True
    told = [it[0] for it in map(read_event, record.read_events(0, 1 << 62)) if it is not None]
    told += (missing := list(describe_interruption(told)))
    record.add_events([write_event(event, time.time()) for event in missing])
    for event in told:
        if isinstance(event, events.JobFinished):
            record.write_end(_describe_end(event))
            return True
    # It was assigned and had not begun: the server assigns it again.
    record.remove()
    return False


def _describe_end(event: events.JobFinished) -> EndRequest:
    return EndRequest(
        received=0, result=event.result, outputs=dict(event.outputs), started=event.started
    )


def describe_interruption(told: Iterable[RunEvent]) -> Iterator[RunEvent]:
    """Yield what brings the events of a job that was interrupted to their end."""
    job: events.JobStarted | None = None
    steps: dict[str, events.StepStarted] = {}
    for event in told:
        match event:
            case events.JobStarted():
                job = event
            case events.StepStarted():
                steps[event.step] = event
            case events.StepFinished():
                steps.pop(event.step, None)
            case events.JobFinished():
                return
            case _:
                pass
    if job is None:
        return
    for step in reversed(steps.values()):
        yield events.StepFinished(
            job=step.job,
            step=step.step,
            name=step.name,
            outcome=Result.FAILURE,
            conclusion=Result.FAILURE,
            exit_code=None,
            seconds=0.0,
        )
    yield events.Annotation(job=job.job, step="", level="error", message=MESSAGE)
    yield events.JobFinished(job=job.job, name=job.name, result=Result.FAILURE, seconds=0.0)
