"""What keeps a planned run from being started: features that are not supported yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.compat import find_unsupported
from windlass.lang.diagnostics import Diagnostic
from windlass.lang.workflow.model import CallJob, Job
from windlass.plan.decision import Verdict
from windlass.plan.places import HOST, find_foreign_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from windlass.lang.workflow.model import Workflow
    from windlass.operations.plans import Planning
    from windlass.plan.plan import JobPlan, LegPlan, WorkflowPlan

_FOREIGN = "unsupported-foreign-runner"


def find_obstacles(
    planning: Planning, planned: Sequence[WorkflowPlan], places: Mapping[str, str]
) -> tuple[Diagnostic, ...]:
    """Return an error for every place that cannot be run as written; skipped jobs are left out.

    `places` says by label where jobs run. Runners are judged leg by leg, so that a selection of
    legs can leave the others out.
    """
    workflows = {workflow.path: workflow for workflow in planning.library.workflows}
    found: dict[Diagnostic, None] = {}
    for plan in planned:
        found.update(dict.fromkeys(_check(workflows[plan.path], plan.jobs, places)))
    return tuple(found)


def _check(
    workflow: Workflow, plans: Sequence[JobPlan], places: Mapping[str, str]
) -> Iterator[Diagnostic]:
    due = {plan.id: plan for plan in plans if plan.decision.verdict is not Verdict.SKIP}
    for finding in find_unsupported(workflow, jobs=due):
        if finding.code != _FOREIGN:
            yield finding
    for job in workflow.jobs:
        if job.id in due and isinstance(job, Job) and (job.container or job.services):
            # Imported only where there is one.
            from windlass.operations.container_keys import check_containers

            yield from check_containers(job)
        for leg in due[job.id].legs if job.id in due else ():
            if isinstance(job, CallJob):
                if job.called is not None:
                    yield from _check(job.called, leg.jobs, places)
            else:
                yield from _check_runner(job, leg, places)


def _check_runner(job: Job, leg: LegPlan, places: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Check labels that are known; those that are not are judged when the job starts."""
    known = leg.runs_on if isinstance(leg.runs_on, list) else []
    label = find_foreign_label((item for item in known if isinstance(item, str)), places)
    if label is not None:
        yield Diagnostic(
            code=_FOREIGN,
            message=f"job '{leg.key}' needs a runner with the label '{label}', and this machine "
            "runs Linux",
            span=job.runs_on.span,
            hint=f"run other legs with `--matrix KEY=VALUE`, another job with `-j JOB`, or this "
            f"one here with `-P {label}={HOST}`",
        )
