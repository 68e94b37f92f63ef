"""A step whose turn has come → its name, and the order that starts it with all keys evaluated.

Source: actions/runner src/Runner.Worker/ActionRunner.cs, Handlers/ScriptHandler.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.lang.workflow.model import ActionStep, RunStep
from windlass.plan.faults import PlanFault
from windlass.plan.keys import describe_fault, evaluate_minutes, evaluate_text, evaluate_texts
from windlass.plan.steps import StartStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.workflow.model import Step
    from windlass.plan.keys import Scope

_NAMELESS = "run"
_DOCKER = "docker://"


def name_step(step: Step, scope: Scope) -> tuple[str, str | None]:
    """Return what people see of a step, and the problem where its name could not be evaluated.

    A name that cannot be evaluated is no reason to fail: the runner then says `run`.
    """
    prefix = "" if step.name is not None else "Run "
    text = _unprefixed_name(step, scope)
    if isinstance(text, PlanFault):
        return _NAMELESS, describe_fault(text)
    lines = text.lstrip(" \t\r\n").splitlines()
    return (f"{prefix}{lines[0]}" if lines else _NAMELESS), None


def _unprefixed_name(step: Step, scope: Scope) -> str | PlanFault:
    if step.name is not None:
        return evaluate_text(step.name, scope) or ""
    if isinstance(step, RunStep):
        return evaluate_text(step.run, scope) or ""
    if isinstance(step, ActionStep):
        return step.uses.value.removeprefix(_DOCKER)
    return step.id


def prepare_step(
    step: Step,
    scope: Scope,
    *,
    name: str,
    defaults: Mapping[str, str],
    paths: tuple[str, ...],
    problems: tuple[str, ...] = (),
) -> StartStep | PlanFault:
    """Return the order that starts a step, or the key that could not be evaluated.

    `defaults` are the job's for `shell` and `working-directory`; `scope.contexts["env"]` the whole
    of the step's variables. A time-out that cannot be evaluated is no time-out, as on GitHub.
    """
    timeout_minutes, timeout_problems = _evaluate_timeout(step, scope)
    keys = _evaluate_keys(step, scope, defaults)
    if isinstance(keys, PlanFault):
        return keys
    variables: Any = scope.contexts["env"]
    return StartStep(
        key=step.id,
        name=name,
        step=step,
        **keys,
        variables=dict(variables),
        paths=paths,
        timeout_minutes=timeout_minutes,
        contexts={name: value for name, value in scope.contexts.items() if name != "secrets"},
        problems=problems + timeout_problems,
    )


def _evaluate_timeout(step: Step, scope: Scope) -> tuple[int | None, tuple[str, ...]]:
    """Return whole minutes (fractions are cut off; nothing above 0 means no limit)."""
    minutes = evaluate_minutes(step.timeout_minutes, scope)
    if isinstance(minutes, PlanFault):
        lead = "An error occurred when attempting to determine the step timeout."
        return None, (lead, describe_fault(minutes))
    return (minutes if minutes is not None and minutes > 0 else None), ()


def _evaluate_keys(
    step: Step, scope: Scope, defaults: Mapping[str, str]
) -> dict[str, Any] | PlanFault:
    """Return the keys of a StartStep that only steps of this kind have."""
    if isinstance(step, ActionStep):
        inputs = evaluate_texts(step.inputs, scope)
        if isinstance(inputs, PlanFault):
            return inputs
        return {"uses": step.uses.value, "inputs": inputs}
    if not isinstance(step, RunStep):
        return {}
    script = evaluate_text(step.run, scope)
    shell = evaluate_text(step.shell, scope)
    folder = evaluate_text(step.working_directory, scope)
    for value in (script, shell, folder):
        if isinstance(value, PlanFault):
            return value
    # An empty shell falls back to the defaults, an empty working directory does not.
    return {
        "script": script or "",
        "shell": shell or defaults.get("shell"),
        "working_directory": defaults.get("working-directory") if folder is None else folder,
    }
