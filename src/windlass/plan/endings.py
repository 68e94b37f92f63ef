"""How a job ends when all of its steps are over: its outputs, and the address it has deployed to.

Source: actions/runner src/Runner.Worker/JobExtension.cs (FinalizeJob)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.tokens import MappingToken
from windlass.model.status import Result
from windlass.plan.faults import PlanFault
from windlass.plan.keys import describe_fault, evaluate_text, evaluate_texts
from windlass.plan.steps import FinishJob

if TYPE_CHECKING:
    from windlass.lang.workflow.model import Job
    from windlass.plan.keys import Scope


def finish_job(job: Job, scope: Scope, status: Result) -> FinishJob:
    """Return how a job ends; one whose keys cannot be evaluated has failed."""
    problems: tuple[str, ...] = ()
    filled: dict[str, str] = {}
    outputs = evaluate_texts(job.outputs, scope)
    if isinstance(outputs, PlanFault):
        problems += ("Fail to evaluate job outputs", describe_fault(outputs))
    else:
        # The runner drops empty outputs; for a matrix this lets another leg's value win.
        filled = {name: value for name, value in outputs.items() if value}
    url = _evaluate_url(job, scope)
    if isinstance(url, PlanFault):
        problems += ("Failed to evaluate environment url", describe_fault(url))
        url = ""
    result = Result.FAILURE if problems and status is Result.SUCCESS else status
    return FinishJob(result, filled, problems, url)


def _evaluate_url(job: Job, scope: Scope) -> str | PlanFault:
    if not isinstance(job.environment, MappingToken):
        return ""
    url = evaluate_text(job.environment.find("url"), scope)
    return url or "" if not isinstance(url, PlanFault) else url
