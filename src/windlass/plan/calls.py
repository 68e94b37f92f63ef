"""Calling a reusable workflow: what goes in and what comes out.

Sources: https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows and
actions/runner src/Sdk/WorkflowParser/Conversion/ReusableWorkflowsLoader.cs and
WorkflowTemplateConverter.ConvertToWorkflowJobInputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.lang.casing import fold
from windlass.lang.diagnostics import Diagnostic
from windlass.lang.expressions import Unknown, kind_of, to_text
from windlass.lang.template import TemplateFault, evaluate_token_partial
from windlass.lang.tokens import StringToken, entries_of
from windlass.lang.workflow.model import CallJob
from windlass.model.status import Result
from windlass.plan.faults import PlanFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windlass.lang.expressions import Value
    from windlass.lang.tokens import MappingToken, Token
    from windlass.lang.workflow.model import InputDefinition, Workflow

MAX_LEVELS: Final = 10
"""How many workflows may call one another in a row: the first and nine below it."""

MAX_CALLED: Final = 50
"""How many different reusable workflows one workflow may reach."""

_DEFAULTS: Final[Mapping[str, Value]] = {"boolean": False, "number": 0}


def find_called(workflow: Workflow) -> dict[str, Workflow]:
    """Return every workflow that one calls, directly or not, by path; itself is not among them."""
    found: dict[str, Workflow] = {}
    pending = [workflow]
    while pending:
        for job in pending.pop().jobs:
            called = job.called if isinstance(job, CallJob) else None
            if called is not None and called.path not in found:
                found[called.path] = called
                pending.append(called)
    return found


def check_number_called(workflow: Workflow) -> Diagnostic | None:
    """Return a finding if a workflow reaches more reusable workflows than GitHub allows."""
    count = len(find_called(workflow))
    if count <= MAX_CALLED:
        return None
    return Diagnostic(
        code="too-many-called",
        message=f"{workflow.path} calls {count} different workflows, more than {MAX_CALLED}",
        span=workflow.span,
        hint="merge some of them, or start them by an event of their own",
    )


def evaluate_inputs(
    call: CallJob,
    called: Workflow,
    *,
    caller: Mapping[str, Value],
    defaults: Mapping[str, Value],
) -> dict[str, Any] | PlanFault:
    """Return the `inputs` context of a called workflow, each value of its declared type.

    `with:` is evaluated in the contexts of the caller (github, inputs, vars, needs, strategy,
    matrix), defaults in `defaults` (github, inputs, vars). A value that depends on a result still
    to come is UNKNOWN.
    """
    given = _literal_keys(call.inputs)
    inputs: dict[str, Any] = {}
    for name, definition in called.triggers.call_inputs.items():
        _, token = given.pop(fold(name), (name, None))
        scope = defaults if token is None else caller
        if token is None and definition.required:
            message = f"Input {name} is required, but not provided while calling."
            return PlanFault(message, call.uses.span)
        value = _evaluate_input(token or definition.default, definition, scope)
        if isinstance(value, PlanFault):
            return value
        inputs[name] = value
    for name, token in given.values():
        message = f"Invalid input, {name} is not defined in the referenced workflow."
        return PlanFault(message, token.span)
    return inputs


def evaluate_outputs(called: Workflow, contexts: Mapping[str, Value]) -> dict[str, str] | PlanFault:
    """Return the outputs of a called workflow that has ended.

    `contexts` holds github, inputs, vars and `jobs`, in which each job has `result` and `outputs`.
    """
    outputs: dict[str, str] = {}
    for name, definition in called.triggers.call_outputs.items():
        value = evaluate_token_partial(definition.value, contexts)
        if isinstance(value, TemplateFault):
            return PlanFault(value.fault.message, value.span)
        outputs[name] = to_text(value)
    return outputs


def combine_results(results: Iterable[Result]) -> Result:
    """Return the result of a call or a matrix from those of its jobs.

    The worst counts: failure, then cancelled, then success; it is skipped only if all jobs are.
    """
    found = frozenset(results)
    for result in (Result.FAILURE, Result.CANCELLED, Result.SUCCESS):
        if result in found:
            return result
    return Result.SKIPPED


def _literal_keys(inputs: MappingToken | None) -> dict[str, tuple[str, Token]]:
    """Return each input as it was written, by its name without case."""
    return {
        fold(key.value): (key.value, value)
        for key, value in entries_of(inputs)
        if isinstance(key, StringToken)
    }


def _evaluate_input(
    token: Token | None, definition: InputDefinition, contexts: Mapping[str, Value]
) -> Any:
    if token is None:
        return _DEFAULTS.get(definition.type, "")
    value = evaluate_token_partial(token, contexts)
    if isinstance(value, TemplateFault):
        return PlanFault(value.fault.message, value.span)
    if isinstance(value, Unknown):
        return value
    kind = kind_of(value)
    if definition.type in _DEFAULTS:
        if kind.lower() == definition.type:
            return value
    elif kind not in ("Array", "Object"):
        return to_text(value)
    return PlanFault(_describe_unexpected(value), token.span)


def _describe_unexpected(value: Any) -> str:
    match kind_of(value):
        case "Array":
            return "A sequence was not expected"
        case "Object":
            return "A mapping was not expected"
        case _:
            return f"Unexpected value '{to_text(value)}'"
