"""Jobs that do not run, in a plan: everything that is in them, as written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.lang.workflow.model import CallJob
from windlass.model.values import replace
from windlass.plan.decision import Decision, Verdict
from windlass.plan.permissions import resolve_permissions
from windlass.plan.plan import JobPlan, LegPlan
from windlass.plan.step_plans import skip_steps, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.workflow.model import AnyJob, PermissionLevel, Workflow

_WITH_THE_JOB: Final = Decision(Verdict.SKIP, "its job does not run")


def describe_skipped(
    workflow: Workflow,
    job: AnyJob,
    decision: Decision,
    prefixes: tuple[str, str] = ("", ""),
    ceiling: Mapping[str, PermissionLevel] | None = None,
) -> JobPlan:
    """Return the plan of a job that is skipped, with its steps or the jobs it would call.

    As on GitHub a skipped job is one entry, whatever its matrix; nothing of it is evaluated.
    `prefixes` come before its key and its name, `ceiling` is what its caller's token may do.
    """
    key, name = f"{prefixes[0]}{job.id}", f"{prefixes[1]}{source_of(job.name) or job.id}"
    permissions = resolve_permissions(job, workflow, ceiling=ceiling)
    leg = LegPlan(key=key, name=name)
    if not isinstance(job, CallJob):
        leg = replace(leg, steps=skip_steps(job, _WITH_THE_JOB))
    elif job.called is not None:
        below = (f"{key} / ", f"{name} / ")
        called = job.called
        jobs = (
            describe_skipped(called, inner, _WITH_THE_JOB, below, permissions)
            for inner in called.jobs
        )
        leg = replace(leg, inputs={}, jobs=tuple(jobs))
    return JobPlan(
        id=job.id,
        key=key,
        name=name,
        decision=decision,
        needs=tuple(need.value for need in job.needs),
        uses=job.uses.value if isinstance(job, CallJob) else None,
        permissions=permissions,
        legs=(leg,),
    )
