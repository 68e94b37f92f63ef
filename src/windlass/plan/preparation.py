"""A step whose turn has come → its variables, its name, whether it runs, and for how long.

Source: actions/runner src/Runner.Worker/StepsRunner.cs, ActionRunner.cs,
Handlers/CompositeActionHandler.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.tokens import StringToken
from windlass.lang.workflow.model import ActionStep, CancelStep, RunStep, WaitAllStep, WaitStep
from windlass.model.status import Result
from windlass.plan.conditions import decide_step
from windlass.plan.decision import Decision, Verdict
from windlass.plan.faults import PlanFault
from windlass.plan.frames import Activity
from windlass.plan.keys import describe_fault, evaluate_minutes, evaluate_text, evaluate_texts

if TYPE_CHECKING:
    from windlass.lang.workflow.model import Step
    from windlass.plan.frames import Frame, Turn
    from windlass.plan.job_contexts import JobContexts
    from windlass.plan.keys import Scope

_NAMELESS = "run"
_DOCKER = "docker://"
_BLANKS = " \t\r\n"


def look_at(frame: Frame, turn: Turn, contexts: JobContexts) -> tuple[Activity, PlanFault | None]:
    """Evaluate a step's env and name; return the fault by which the step has failed, if any.

    Where the env of a step within a composite action is at fault, the runner goes on without it,
    and the step fails in the end.
    """
    step = turn.step
    scope = contexts.of_step(frame, step.id, frame.variables)
    own = evaluate_texts(step.env, scope)
    if isinstance(own, PlanFault) and frame.owner is None:
        name = name_turn(turn, scope)[0]
        return Activity(turn, frame, scope, name, frame.variables), own
    doom = (describe_fault(own),) if isinstance(own, PlanFault) else ()
    variables = frame.variables if isinstance(own, PlanFault) else {**frame.variables, **own}
    if variables:
        scope = contexts.of_step(frame, step.id, variables)
    name, problem = name_turn(turn, scope)
    activity = Activity(turn, frame, scope, name, variables)
    activity.doomed = bool(doom)
    activity.problems = doom if problem is None else (*doom, problem)
    return activity, None


def decide(activity: Activity, contexts: JobContexts) -> Decision | PlanFault:
    """Decide whether a step runs."""
    frame, job = activity.frame, contexts.status
    return decide_step(
        activity.turn.condition,
        activity.scope.contexts,
        frame.result if frame.judges_by_action else job,
        activity.scope.functions,
        cancelled=job is Result.CANCELLED,
    )


def survives_cancellation(activity: Activity, contexts: JobContexts) -> bool:
    """Tell whether a running step's condition holds now that the job is cancelled.

    Within a composite action its status, too, counts as cancelled then. A background step never
    survives.
    """
    if activity.turn.background:
        return False
    scope = contexts.refresh(activity.scope, activity.frame)
    decision = decide_step(
        activity.turn.condition, scope.contexts, contexts.status, scope.functions
    )
    return isinstance(decision, Decision) and decision.verdict is Verdict.RUN


def name_turn(turn: Turn, scope: Scope) -> tuple[str, str | None]:
    """Return what people see of one stage of a step, and why its name cannot be evaluated."""
    if turn.name is not None:
        return turn.name, None
    name, problem = name_step(turn.step, scope)
    return (name if turn.stage == "main" else f"{turn.stage.capitalize()} {name}"), problem


def name_step(step: Step, scope: Scope) -> tuple[str, str | None]:
    """Return what people see of a step, and the problem where its name could not be evaluated.

    A name that cannot be evaluated is no reason to fail: the runner then says `run`.
    """
    if isinstance(step, WaitStep | WaitAllStep | CancelStep):
        return name_control(step), None
    prefix = "" if step.name is not None else "Run "
    text = _unprefixed_name(step, scope)
    if isinstance(text, PlanFault):
        return _NAMELESS, describe_fault(text)
    return first_line(prefix, text), None


def first_line(prefix: str, text: str) -> str:
    """Return what the runner shows of a name: its first line that is not blank, else `run`.

    Source: actions/runner src/Runner.Worker/ActionRunner.cs (FormatStepName, DisplayName)
    """
    line = text.lstrip(_BLANKS).replace("\r", "\n").partition("\n")[0]
    return f"{prefix}{line}" if line else _NAMELESS


def name_control(step: WaitStep | WaitAllStep | CancelStep) -> str:
    """Return the name of a step that waits or cancels; an expression in it is no name.

    Source: actions/runner src/Runner.Worker/JobExtension.cs
    """
    if isinstance(step.name, StringToken):
        return step.name.value
    if isinstance(step, WaitAllStep):
        return "Wait for all background steps"
    if isinstance(step, CancelStep):
        return f"Cancel {step.target.value}"
    return f"Wait for {', '.join(target.value for target in step.targets)}"


def _unprefixed_name(step: Step, scope: Scope) -> str | PlanFault:
    if step.name is not None:
        return evaluate_text(step.name, scope) or ""
    if isinstance(step, RunStep):
        return evaluate_text(step.run, scope) or ""
    if isinstance(step, ActionStep):
        return step.uses.value.removeprefix(_DOCKER)
    return step.id


def evaluate_timeout(step: Step, scope: Scope) -> tuple[int | None, tuple[str, ...]]:
    """Return whole minutes, None for no limit; one that cannot be evaluated is no limit either."""
    minutes = evaluate_minutes(step.timeout_minutes, scope)
    if isinstance(minutes, PlanFault):
        lead = "An error occurred when attempting to determine the step timeout."
        return None, (lead, describe_fault(minutes))
    return (minutes if minutes is not None and minutes > 0 else None), ()
