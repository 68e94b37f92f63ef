"""One run of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.cli.hosted.opening import find_run, open_client, to_row
from windlass.cli.hosted.runs import state_of
from windlass.cli.show import Shown
from windlass.model.status import Result
from windlass.operations.run_views import JobView, RunView, StepView
from windlass.operations.summaries import lay_out_summaries
from windlass.protocol import events

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from windlass.client.client import Client
    from windlass.client.logins import Login
    from windlass.protocol.api.jobs import Job, Step


def find_shown(server: Login, arguments: argparse.Namespace) -> Shown:
    """Return the attempt that is to be shown, with its jobs."""
    with open_client(server) as client:
        run = find_run(client, arguments.run, arguments.attempt)
        jobs = list_jobs(client, run.run, run.attempt)
    row = to_row(run)
    views = {job.job: view_job(job) for job in jobs}
    return Shown(
        row,
        state_of(row),
        RunView(status=state_of(row), jobs=views),
        lambda: lay_out_summaries(_tell_summaries(jobs)),
    )


def list_jobs(client: Client, run: str, attempt: int) -> list[Job]:
    """Return all jobs of an attempt."""
    from windlass.protocol.api import jobs

    return list(client.list_all(jobs.LIST, jobs.ListJobs(run=run, attempt=attempt, limit=100)))


def view_job(job: Job) -> JobView:
    """Return a job as local history shows it."""
    return JobView(
        key=job.job,
        name=job.name,
        status=_read_state(job.state),
        seconds=job.seconds,
        reason=job.reason,
        kept=job.kept,
        outputs=job.outputs,
        steps={step.step: _view_step(step) for step in job.steps},
        annotations=[
            events.Annotation(
                job=job.job,
                step=it.step,
                level=it.level,
                message=it.message,
                properties=it.properties,
            )
            for it in job.annotations
        ],
        summary=job.summary,
    )


def _view_step(step: Step) -> StepView:
    return StepView(
        id=step.step,
        name=step.name,
        status=_read_state(step.state),
        conclusion=None if step.conclusion is None else Result(step.conclusion),
        seconds=step.seconds,
        exit_code=step.exit_code,
        reason=step.reason,
        parent=step.parent,
    )


def _read_state(state: str) -> Any:
    return Result(state) if state in set(Result) else state


def _tell_summaries(jobs: Iterable[Job]) -> Iterator[events.RunEvent]:
    for job in jobs:
        yield events.JobStarted(job=job.job, name=job.name)
        if job.summary:
            yield events.Summary(job=job.job, step="", markdown=job.summary)
