"""How a step that has ended counts: its outcome, and that after `continue-on-error`.

Source: actions/runner src/Runner.Worker/ExecutionContext.cs (ApplyContinueOnError)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.model.status import Result
from windlass.plan.faults import PlanFault
from windlass.plan.keys import describe_fault, evaluate_boolean
from windlass.plan.steps import ConcludeStep

if TYPE_CHECKING:
    from windlass.plan.frames import Activity
    from windlass.plan.job_contexts import JobContexts

_UNDECIDED: Final = (
    "The step failed and an error occurred when attempting to determine whether to continue on "
    "error."
)


def conclude_step(
    activity: Activity, outcome: Result, contexts: JobContexts, *, forgiving: bool
) -> ConcludeStep:
    """Return how a step is over; `continue-on-error` is asked only where it is forgiving."""
    if activity.doomed and outcome is Result.SUCCESS:
        outcome = Result.FAILURE
    if outcome is not Result.FAILURE or not forgiving:
        return ConcludeStep(activity.key, outcome, outcome)
    scope = contexts.refresh(activity.scope, activity.frame)
    goes_on = evaluate_boolean(activity.turn.step.continue_on_error, scope)
    if isinstance(goes_on, PlanFault):
        problem = f"{_UNDECIDED} {describe_fault(goes_on)}"
        return ConcludeStep(activity.key, outcome, outcome, problem)
    conclusion = Result.SUCCESS if goes_on else Result.FAILURE
    return ConcludeStep(activity.key, outcome, conclusion)
