"""The `inputs` of a workflow that somebody starts by hand, each of its declared type.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#onworkflow_dispatchinputs
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from windlass.lang.casing import fold
from windlass.lang.diagnostics import Diagnostic, Related
from windlass.lang.expressions import to_number, to_text
from windlass.lang.template import TemplateFault, evaluate_token
from windlass.model.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.lang.workflow.model import InputDefinition, Workflow
    from windlass.plan.event import Event

_BOOLEANS: Final = {"true": True, "false": False}


def fill_event(event: Event, workflow: Workflow) -> Event:
    """Return the event as one workflow sees it.

    `github.event.inputs` holds every input of the workflow as a string, defaults included, and
    `github.event.schedule` the workflow's first `cron` where none was named.
    """
    payload = dict(event.payload)
    if event.name == "workflow_dispatch":
        given = _given(event)
        definitions = workflow.triggers.dispatch_inputs
        payload["inputs"] = {name: _text_of(item, given) for name, item in definitions.items()}
        payload["workflow"] = workflow.path
    elif event.name == "schedule":
        payload["workflow"] = workflow.path
        schedules = workflow.triggers.schedules
        payload["schedule"] = payload.get("schedule") or (schedules[0].cron if schedules else "")
    else:
        return event
    return replace(event, payload=payload)


def read_inputs(workflow: Workflow, event: Event) -> dict[str, Any] | tuple[Diagnostic, ...]:
    """Return the `inputs` context, or what is wrong with the inputs that were given.

    It is empty for every event but workflow_dispatch. Booleans and numbers are of those kinds.
    """
    if event.name != "workflow_dispatch":
        return {}
    given = _given(event)
    values: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for name, definition in workflow.triggers.dispatch_inputs.items():
        text = _text_of(definition, given)
        problem = _check(definition, text, is_given=fold(name) in given)
        if problem is not None:
            problems.append(problem)
        values[name] = _convert(definition, text)
    return tuple(problems) if problems else values


def find_undeclared(workflows: Sequence[Workflow], event: Event) -> tuple[Diagnostic, ...]:
    """Return a finding for every input that was given and that no workflow declares."""
    if event.name != "workflow_dispatch":
        return ()
    names = [name for workflow in workflows for name in workflow.triggers.dispatch_inputs]
    declared = {fold(name) for name in names}
    inputs: Any = event.payload.get("inputs") or {}
    listed = ", ".join(dict.fromkeys(names))
    return tuple(
        Diagnostic(
            code="undeclared-input",
            message=f"there is no input '{name}'",
            hint=f"the inputs are {listed}" if names else "the workflow declares no inputs",
        )
        for name in inputs
        if fold(name) not in declared
    )


def _given(event: Event) -> dict[str, str]:
    inputs: Any = event.payload.get("inputs")
    if not isinstance(inputs, dict):
        return {}
    return {fold(name): to_text(value) for name, value in inputs.items()}


def _text_of(definition: InputDefinition, given: Mapping[str, str]) -> str:
    """Return what an input is as a string: as given, its default, or what GitHub fills in."""
    text = given.get(fold(definition.name))
    if text is not None:
        return text
    if definition.default is not None:
        value = evaluate_token(definition.default, {})
        return "" if isinstance(value, TemplateFault) else to_text(value)
    if definition.type == "boolean":
        return "false"
    return definition.options[0] if definition.type == "choice" and definition.options else ""


def _convert(definition: InputDefinition, text: str) -> Any:
    if definition.type == "boolean":
        return _BOOLEANS.get(text.lower(), False)
    if definition.type == "number" and text:
        return to_number(text)
    return text


def _check(definition: InputDefinition, text: str, *, is_given: bool) -> Diagnostic | None:
    """Return what is wrong with the value of one input, or None."""
    name = definition.name
    if not text and definition.required and definition.type != "boolean":
        return _refuse(definition, "missing-input", f"the input '{name}' is required")
    if not is_given or not text:
        return None
    if definition.type == "boolean" and text.lower() not in _BOOLEANS:
        message = f"the input '{name}' is a boolean, not '{text}'"
        return _refuse(definition, "wrong-input", message, "give true or false")
    if definition.type == "number" and math.isnan(to_number(text)):
        return _refuse(definition, "wrong-input", f"the input '{name}' is a number, not '{text}'")
    if definition.type == "choice" and text not in definition.options:
        message = f"'{text}' is no option of the input '{name}'"
        return _refuse(
            definition, "wrong-input", message, f"choose {' or '.join(definition.options)}"
        )
    return None


def _refuse(
    definition: InputDefinition, code: str, message: str, hint: str | None = None
) -> Diagnostic:
    """Return a finding about the call: it is not the file that is wrong."""
    hint = hint or f"give it as --input {definition.name}=VALUE"
    declared = Related("the input is declared here", definition.span)
    return Diagnostic(code=code, message=message, related=(declared,), hint=hint)
