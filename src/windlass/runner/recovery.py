"""After the process of a job was killed: the server is told what became of the job.

Its supervisor ends the job's processes and brings the log to its end (`windlass.jobs.supervisor`);
nobody goes on with such a job. What the server does not have yet is in the record, and is sent by
the runner, or by the next one.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.jobs.supervisor.presence import NAME
from windlass.jobs.supervisor.sweep import sweep_job
from windlass.jobs.workspaces.removal import remove_folder
from windlass.listings import find_paths
from windlass.model.status import Result
from windlass.operations.tidying import sweep_daemons
from windlass.protocol import events
from windlass.protocol.event_lines import read_event, write_event
from windlass.protocol.runner import EndRequest
from windlass.runner.control import wait_until_free
from windlass.runner.workshop import name_work
from windlass.stores.state_folder import WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from windlass.protocol.events import RunEvent
    from windlass.protocol.runner import JobId
    from windlass.runner.records import JobRecord

MESSAGE: Final = (
    "The process of this job was killed on its runner, and the job was ended with it. What it had "
    "printed is in the log."
)
PAUSE_SECONDS: Final = 0.02


def settle(record: JobRecord, repositories: Path, tell: Callable[[str], None]) -> bool:
    """End what a job has left whose process has ended; tell whether the server is to hear of it.

    Raises:
        PlatformError: something of it cannot be ended or written.
    """
    if not record.is_there:
        return False
    try:
        wait_until_free(record.folder)
        while (record.folder / NAME).exists() and not sweep_job(record.folder):
            # Its lock is free, and it is about to be gone.
            time.sleep(PAUSE_SECONDS)
    except OSError as error:
        raise PlatformError(
            f"what a killed job has left in {record.folder} cannot be ended: {error}"
        ) from error
    sweep_daemons(tell)
    for work in find_paths(repositories, f"*/{WORK}/{name_work(record.job)}"):
        _remove(work)
    return _complete(record)


def tidy_up(repositories: Path, known: Collection[JobId], tell: Callable[[str], None]) -> None:
    """Remove what jobs have left that nobody knows any more: folders, and containers."""
    sweep_daemons(tell)
    kept = {name_work(job) for job in known}
    for work in find_paths(repositories, f"*/{WORK}/*"):
        if work.name not in kept:
            _remove(work)


def _remove(work: Path) -> None:
    with suppress(OSError):
        remove_folder(work)
        work.parent.rmdir()


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
