"""A run and its jobs in GitHub's shapes, from what the run has told so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from windlass.model.status import Result
from windlass.model.values import dataclass, field
from windlass.protocol import events
from windlass.services.github_api.links import format_time, make_id, make_node_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.protocol.events import RunEvent
    from windlass.services.github_api.links import Links
    from windlass.services.jobs import ServedJob

    Shape = dict[str, Any]

RUNNER: Final = "windlass"
Status = Literal["queued", "in_progress", "completed"]


@dataclass(slots=True)
class Course:
    """How far something has come; times are seconds since the epoch."""

    name: str
    status: Status = "queued"
    result: Result | None = None
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    steps: dict[str, Course] = field(default_factory=dict)

    def begin(self, time: float) -> None:
        """Let it begin, anew where it had begun before."""
        self.status, self.result, self.started, self.finished = "in_progress", None, time, None

    def end(self, result: Result, time: float) -> None:
        """Let it end."""
        self.status, self.result, self.finished = "completed", result, time
        if self.started is None:
            self.started = time


def follow(told: Iterable[tuple[RunEvent, float]]) -> tuple[Course, dict[str, Course]]:
    """Return how far a run and each of its jobs have come, by what onlookers were told."""
    run = Course("")
    jobs: dict[str, Course] = {}
    for event, time in told:
        match event:
            case events.RunStarted():
                run.name, run.created = event.workflow, time
                run.begin(time)
            case events.RunFinished():
                run.end(event.result, time)
            case events.Waiting() if event.job:
                jobs.setdefault(event.job, Course(event.name, created=time))
            case events.JobStarted():
                jobs[event.job] = Course(event.name, created=time)
                jobs[event.job].begin(time)
            case events.JobSkipped():
                jobs[event.job] = Course(event.name, created=time)
                jobs[event.job].end(Result.SKIPPED, time)
            case events.JobFinished():
                jobs.setdefault(event.job, Course(event.name, created=time))
                jobs[event.job].end(event.result, time)
            case events.StepStarted() | events.StepSkipped() | events.StepFinished():
                if event.job in jobs:
                    _follow_step(event, jobs[event.job].steps, time)
    return run, jobs


def _follow_step(
    event: events.StepStarted | events.StepSkipped | events.StepFinished,
    steps: dict[str, Course],
    time: float,
) -> None:
    """Note a step of the job itself; those within composite actions are not shown by GitHub."""
    if isinstance(event, events.StepFinished):
        if event.step in steps:
            steps[event.step].end(event.conclusion, time)
        return
    if event.parent:
        return
    step = steps[event.step] = Course(event.name, created=time)
    if isinstance(event, events.StepSkipped):
        step.end(Result.SKIPPED, time)
    else:
        step.begin(time)


def name_job(run: str, attempt: int, key: str) -> int:
    """Return a number in place of a job's id."""
    return make_id(run, str(attempt), key)


def make_job(key: str, course: Course, served: ServedJob, links: Links) -> Shape:
    """Return GitHub's `job`. The labels of `runs-on` are not known here."""
    number = name_job(served.run, served.attempt, key)
    run_page = f"{links.page}/actions/runs/{served.run}"
    began = course.status != "queued"
    return {
        "id": number,
        "node_id": make_node_id("CheckRun", str(number)),
        "run_id": int(served.run),
        "run_url": f"{links.repository}/actions/runs/{served.run}",
        "run_attempt": served.attempt,
        "head_sha": served.text("sha"),
        "head_branch": served.text("head_ref") or served.text("ref_name"),
        "workflow_name": served.text("workflow"),
        "name": course.name,
        "url": f"{links.repository}/actions/jobs/{number}",
        "html_url": f"{run_page}/job/{number}",
        "check_run_url": f"{links.repository}/check-runs/{number}",
        **_make_course(course),
        "created_at": format_time(course.created),
        "steps": [_make_step(at, step) for at, step in enumerate(course.steps.values(), 1)],
        "labels": [],
        "runner_id": 1 if began else None,
        "runner_name": RUNNER if began else None,
        "runner_group_id": 1 if began else None,
        "runner_group_name": "Default" if began else None,
    }


def _make_step(number: int, course: Course) -> Shape:
    return {"name": course.name, "number": number, **_make_course(course)}


def _make_course(course: Course) -> Shape:
    finished = course.finished
    return {
        "status": course.status,
        "conclusion": None if course.result is None else course.result.value,
        "started_at": format_time(course.created if course.started is None else course.started),
        "completed_at": None if finished is None else format_time(finished),
    }


def make_run(course: Course, served: ServedJob, links: Links) -> Shape:
    """Return GitHub's `workflow-run` without the repository and the head commit."""
    path = find_workflow_path(served)
    run = f"{links.repository}/actions/runs/{served.run}"
    workflow = make_id(links.full_name, "workflow", path)
    suite = make_id(links.full_name, "check-suite", served.run)
    parts = ("jobs", "logs", "artifacts", "cancel", "rerun")
    updated = course.finished or course.started or course.created
    return {
        "id": int(served.run),
        "name": served.text("workflow"),
        "node_id": make_node_id("WorkflowRun", served.run),
        "check_suite_id": suite,
        "check_suite_node_id": make_node_id("CheckSuite", str(suite)),
        "head_branch": served.text("head_ref") or served.text("ref_name"),
        "head_sha": served.text("sha"),
        "path": path,
        "display_title": served.text("workflow"),
        "run_number": int(served.text("run_number") or 1),
        "run_attempt": served.attempt,
        "event": served.text("event_name"),
        "status": course.status,
        "conclusion": None if course.result is None else course.result.value,
        "workflow_id": workflow,
        "workflow_url": f"{links.repository}/actions/workflows/{workflow}",
        "url": run,
        "html_url": f"{links.page}/actions/runs/{served.run}",
        **{f"{part}_url": f"{run}/{part}" for part in parts},
        "check_suite_url": f"{links.repository}/check-suites/{suite}",
        "previous_attempt_url": None,
        "pull_requests": [],
        "referenced_workflows": [],
        "created_at": format_time(course.created),
        "updated_at": format_time(updated),
        "run_started_at": format_time(course.created),
    }


def find_workflow_path(served: ServedJob) -> str:
    """Return the path of the run's workflow file, from `OWNER/REPO/PATH@REF`."""
    return served.text("workflow_ref").partition("@")[0].split("/", 2)[-1]
