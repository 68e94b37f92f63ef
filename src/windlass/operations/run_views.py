"""How a run looks: a pure fold over the events that onlookers were told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.model.status import Result
from windlass.model.values import dataclass, field
from windlass.operations.earlier_events import read_told
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windlass.operations.history import Attempt
    from windlass.protocol.events import RunEvent

Status: TypeAlias = Literal["queued", "waiting", "running", "interrupted"] | Result
"""A job that is `waiting` does so for its concurrency group, one that is `queued` for a runner."""


@dataclass(slots=True, kw_only=True)
class StepView:
    """One step; `seconds` and the exit code are None until it has ended, or where it did not run.

    `conclusion` differs from `status` where a failure was forgiven by `continue-on-error`.
    """

    id: str
    name: str
    status: Status = "running"
    conclusion: Result | None = None
    seconds: float | None = None
    exit_code: int | None = None
    reason: str = ""
    parent: str = ""


@dataclass(slots=True, kw_only=True)
class JobView:
    """One job; `reason` says why it was skipped, or cancelled before it began.

    Annotations are in the order they were made. `kept` is true where it did not run in this
    attempt, but counts as it ended before.
    """

    key: str
    name: str
    status: Status = "running"
    seconds: float | None = None
    reason: str = ""
    kept: bool = False
    outputs: Mapping[str, str] = field(default_factory=dict)
    steps: dict[str, StepView] = field(default_factory=dict)
    annotations: list[events.Annotation] = field(default_factory=list)
    summary: str = ""


@dataclass(slots=True, kw_only=True)
class RunView:
    """One attempt: its jobs by key, in the order in which they were first heard of."""

    status: Status = "running"
    seconds: float | None = None
    jobs: dict[str, JobView] = field(default_factory=dict)


def show_attempt(attempt: Attempt) -> RunView:
    """Return how an attempt looks now.

    Raises:
        PlatformError: its events cannot be read.
    """
    # Asked before the events are read: it may end in between.
    is_live = attempt.is_live
    view = view_run(read_told(attempt.folder), is_live=is_live)
    if attempt.row.result is not None:
        view.status = attempt.row.result
    return view


def view_run(told: Iterable[RunEvent], *, is_live: bool) -> RunView:
    """Fold events into a view; what has no end is interrupted unless the run is live."""
    view = RunView()
    for event in told:
        see_event(view, event)
    if not is_live:
        parts: list[RunView | JobView | StepView] = [view, *view.jobs.values(), *_steps(view)]
        for part in parts:
            if part.status in ("waiting", "running"):
                part.status = "interrupted"
    return view


def _steps(view: RunView) -> list[StepView]:
    return [step for job in view.jobs.values() for step in job.steps.values()]


def see_event(view: RunView, event: RunEvent) -> None:
    """Fold one event into a view."""
    match event:
        case events.RunStarted():
            # Again where the run was resumed.
            view.status, view.seconds = "running", None
        case events.Waiting() if event.job and not event.job.endswith(" / "):
            view.jobs.pop(event.job, None)
            waiting = JobView(key=event.job, name=event.name, status="waiting")
            waiting.reason = f"waiting for the concurrency group '{event.group}'"
            view.jobs[event.job] = waiting
        case events.JobStarted():
            view.jobs.pop(event.job, None)
            view.jobs[event.job] = JobView(key=event.job, name=event.name)
        case events.JobSkipped():
            skipped = JobView(key=event.job, name=event.name, status=Result.SKIPPED)
            skipped.reason = event.reason
            view.jobs[event.job] = skipped
        case events.JobFinished():
            job = _job(view, event.job)
            job.name, job.status = event.name, event.result
            job.seconds, job.outputs = event.seconds, event.outputs
            job.kept, job.reason = event.kept, event.reason
        case events.Annotation():
            _job(view, event.job).annotations.append(event)
        case events.Summary():
            _job(view, event.job).summary += event.markdown
        case events.StepStarted() | events.StepSkipped() | events.StepFinished():
            _see_step(_job(view, event.job), event)
        case events.RunFinished():
            view.status, view.seconds = event.result, event.seconds


def _see_step(
    job: JobView, event: events.StepStarted | events.StepSkipped | events.StepFinished
) -> None:
    step = job.steps.setdefault(event.step, StepView(id=event.step, name=event.name))
    match event:
        case events.StepStarted():
            step.parent = event.parent
        case events.StepSkipped():
            step.status, step.reason, step.parent = Result.SKIPPED, event.reason, event.parent
        case events.StepFinished():
            step.name, step.status, step.conclusion = event.name, event.outcome, event.conclusion
            step.seconds, step.exit_code = event.seconds, event.exit_code


def _job(view: RunView, key: str) -> JobView:
    return view.jobs.setdefault(key, JobView(key=key, name=key))
