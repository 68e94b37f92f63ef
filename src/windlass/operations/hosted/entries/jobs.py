"""The jobs of an attempt: what the queue knows of them, and what was told of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from windlass.db.jobs import list_jobs as list_rows
from windlass.errors import MissingError
from windlass.operations.hosted.cursors import cut_page
from windlass.operations.hosted.logs import find_attempt
from windlass.operations.hosted.operation import Operation
from windlass.operations.run_views import JobView
from windlass.protocol.api import jobs as api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.db.jobs import JobRow
    from windlass.db.runs import AttemptRow
    from windlass.operations.hosted.site import Site
    from windlass.operations.run_views import Status, StepView
    from windlass.protocol.events import Annotation


def list_jobs(site: Site, given: api.ListJobs) -> api.JobPage:
    """List the jobs of a run with their steps: those that were queued, then the others."""
    row = find_attempt(site, given.run, given.attempt)
    with _look(site, row) as jobs:
        page, following = cut_page(jobs, given)
        items = [_describe_job(*job, row) for job in page]
    return api.JobPage(items=items, next=following)


def get_job(site: Site, given: api.FindJob) -> api.Job:
    """Show one job with its steps, annotations, outputs and summary."""
    row = find_attempt(site, given.run, given.attempt)
    with _look(site, row) as jobs:
        for view, queued in jobs:
            if queued is not None and queued.number == given.number:
                return _describe_job(view, queued, row)
    raise MissingError(f"attempt {row.attempt} of run {given.run} has no job {given.number}")


@contextmanager
def _look(site: Site, row: AttemptRow) -> Iterator[list[tuple[JobView, JobRow | None]]]:
    """Yield the jobs of an attempt: those that were queued, in that order, then the others."""
    run, attempt = row.run.id, row.attempt
    rows = list_rows(site.store, run, attempt)
    with site.views.look(site.store, run, attempt) as view:
        views = dict(view.jobs)
        jobs: list[tuple[JobView, JobRow | None]] = [
            (views.pop(it.job, _imagine(it)), it) for it in rows
        ]
        yield [*jobs, *((view, None) for view in views.values())]


def _imagine(row: JobRow) -> JobView:
    """Return how a job looks of which nothing was told yet."""
    return JobView(key=row.job, name=row.job)


def _describe_job(view: JobView, row: JobRow | None, attempt: AttemptRow) -> api.Job:
    is_over = attempt.result is not None
    return api.Job(
        job=view.key,
        number=None if row is None else row.number,
        name=view.name,
        state="queued"
        if row is not None and row.state == "queued"
        else _spell(view.status, is_over=is_over),
        seconds=view.seconds,
        reason=view.reason,
        kept=view.kept,
        labels=[] if row is None else list(row.labels),
        runner=None if row is None else row.runner,
        queued=None if row is None else row.queued,
        claimed=None if row is None else row.claimed,
        outputs=dict(view.outputs),
        steps=[_describe_step(step, is_over=is_over) for step in view.steps.values()],
        annotations=[_describe_annotation(it) for it in view.annotations],
        summary=view.summary,
    )


def _describe_step(step: StepView, *, is_over: bool) -> api.Step:
    return api.Step(
        step=step.id,
        name=step.name,
        state=_spell(step.status, is_over=is_over),
        conclusion=None if step.conclusion is None else step.conclusion.value,
        seconds=step.seconds,
        exit_code=step.exit_code,
        reason=step.reason,
        parent=step.parent,
    )


def _describe_annotation(annotation: Annotation) -> api.Annotation:
    return api.Annotation(
        step=annotation.step,
        level=annotation.level,
        message=annotation.message,
        properties=dict(annotation.properties),
    )


def _spell(status: Status, *, is_over: bool) -> Any:
    """Return the word for a state; what has no end when its attempt has was interrupted."""
    return "interrupted" if is_over and status in ("waiting", "running") else str(status)


OPERATIONS: Final = (
    Operation(
        call=api.LIST,
        effect="read",
        function=list_jobs,
        errors=("missing",),
    ),
    Operation(
        call=api.GET,
        effect="read",
        function=get_job,
        errors=("missing",),
    ),
)
