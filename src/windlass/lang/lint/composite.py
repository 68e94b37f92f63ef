"""A composite action as a workflow of one job, so that rules for steps can look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.tokens import MappingToken, NullToken, StringToken
from windlass.lang.workflow.model import EventFilter, InputDefinition, Job, Triggers, Workflow

if TYPE_CHECKING:
    from windlass.lang.action.model import Action, CompositeRuns
    from windlass.lang.tokens import Token


def is_action(path: str) -> bool:
    """Say whether a path is that of an action's metadata."""
    return path.rpartition("/")[2] in ("action.yml", "action.yaml")


def as_workflow(action: Action, runs: CompositeRuns) -> Workflow:
    """Return a workflow that may be called, with the action's inputs, outputs and steps.

    Inputs of an action are always texts.
    """
    inputs = {
        name: InputDefinition(name=name, span=definition.span)
        for name, definition in action.inputs.items()
    }
    triggers = Triggers(
        span=action.span,
        events={"workflow_call": EventFilter(name="workflow_call", span=action.span)},
        call_inputs=inputs,
    )
    job = Job(
        id="action",
        span=runs.span,
        runs_on=NullToken(runs.span),
        steps=runs.steps,
        outputs=_outputs(action),
    )
    return Workflow(path=action.path, span=action.span, triggers=triggers, jobs=(job,))


def _outputs(action: Action) -> MappingToken:
    entries: list[tuple[StringToken, Token]] = [
        (StringToken(name, output.span), output.value)
        for name, output in action.outputs.items()
        if output.value is not None
    ]
    return MappingToken(tuple(entries), action.span)
