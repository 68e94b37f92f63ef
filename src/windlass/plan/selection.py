"""Running part of a workflow: one job with all it needs, and some legs of its matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.lang.casing import equals_ignoring_case, fold
from windlass.lang.diagnostics import Diagnostic, Related
from windlass.lang.expressions import is_equal
from windlass.lang.expressions.lookup import look_up
from windlass.model.values import dataclass, field
from windlass.plan.faults import PlanFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from windlass.lang.workflow.model import AnyJob, Workflow
    from windlass.plan.matrix import Leg
    from windlass.plan.plan import JobPlan


@dataclass(frozen=True, slots=True)
class Selection:
    """What a user asked for: `job` None is every job, `legs` the matrix values that legs must have.

    A job whose matrix has none of these keys is not affected by them.
    """

    job: str | None = None
    legs: Mapping[str, str] = field(default_factory=dict)

    def has_job(self, workflow: Workflow) -> bool:
        """Tell whether a workflow has the job that was asked for."""
        return self.job is None or fold(self.job) in {fold(job.id) for job in workflow.jobs}

    def has_leg(self, matrix: Any) -> bool:
        """Tell whether a leg with this matrix was asked for."""
        if not isinstance(matrix, dict):
            return True
        return all(
            is_equal(look_up(matrix, key), value)
            for key, value in self.legs.items()
            if look_up(matrix, key) is not None
        )

    def refuse_legs(self, job: AnyJob, legs: Sequence[Leg]) -> PlanFault:
        """Return why a job whose matrix has none of the legs that were asked for cannot run."""
        wanted = ", ".join(f"{key}={value}" for key, value in self.legs.items())
        known = ", ".join(leg.key for leg in legs)
        message = f"No leg of the matrix has {wanted}; there are: {known}"
        return PlanFault(message, job.span)

    def describe_misfit(self, job: AnyJob, legs: Sequence[Leg]) -> Diagnostic:
        """Return the same as a finding about the call: it is not the file that is wrong."""
        message = self.refuse_legs(job, legs).message
        place = Related("the job is here", job.span)
        return Diagnostic(code="unknown-leg", message=message, related=(place,))

    def check(self, workflows: Sequence[Workflow]) -> tuple[Diagnostic, ...]:
        """Return a finding if no workflow has the job."""
        if self.job is None or any(self.has_job(workflow) for workflow in workflows):
            return ()
        names = dict.fromkeys(job.id for workflow in workflows for job in workflow.jobs)
        return (
            Diagnostic(
                code="unknown-job",
                message=f"no workflow has a job '{self.job}'",
                hint=f"the jobs are {', '.join(names)}" if names else None,
            ),
        )

    def check_keys(self, plans: Iterable[JobPlan]) -> tuple[Diagnostic, ...]:
        """Return a finding for each key that no matrix has, where all legs are known."""
        due = tuple(plans) if self.legs else ()
        if not due or not all(plan.has_known_legs and plan.legs for plan in due):
            return ()
        known = dict.fromkeys(key for plan in due for leg in plan.legs for key in leg.matrix or ())
        folded = {fold(key) for key in known}
        return tuple(
            Diagnostic(
                code="unknown-matrix-key",
                message=f"no matrix has a key '{key}'",
                hint=f"the keys are {', '.join(known)}" if known else "no job has a matrix",
            )
            for key in self.legs
            if fold(key) not in folded
        )


def select_jobs(workflow: Workflow, selection: Selection) -> set[str] | None:
    """Return the ids of the jobs that were asked for, with all they need; None is every job."""
    if selection.job is None:
        return None
    found: set[str] = set()
    for job, needs in reversed(tuple(order_jobs(workflow))):
        if equals_ignoring_case(job.id, selection.job) or job.id in found:
            found.update((job.id, *needs))
    return found


def order_jobs(workflow: Workflow) -> Iterator[tuple[AnyJob, tuple[str, ...]]]:
    """Yield jobs, each after all it needs, with the ids of these; ids ignore case in `needs`.

    Otherwise the order of the file is kept. The reader has found no cycle in the needs.
    """
    jobs = {fold(job.id): job for job in workflow.jobs}
    done: set[str] = set()
    for first in jobs:
        pending = [first]
        while pending:
            job = jobs[pending[-1]]
            needs = tuple(dict.fromkeys(fold(need.value) for need in job.needs))
            missing = [need for need in needs if need not in done]
            if missing:
                pending.extend(reversed(missing))
            elif (folded := pending.pop()) not in done:
                done.add(folded)
                yield job, tuple(jobs[need].id for need in needs)
