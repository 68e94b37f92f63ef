"""One leg of a job whose condition holds → the order that starts it, with its keys evaluated.

Source: actions/runner src/Sdk/WorkflowParser/WorkflowTemplateEvaluator.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.expressions import kind_of, to_text
from windlass.lang.tokens import StringToken
from windlass.lang.workflow.model import CallJob
from windlass.model.values import dataclass
from windlass.plan.calls import MAX_LEVELS, evaluate_inputs
from windlass.plan.environments import evaluate_environment
from windlass.plan.faults import PlanFault
from windlass.plan.graph import LegRun, Level
from windlass.plan.keys import (
    Scope,
    evaluate_boolean,
    evaluate_minutes,
    evaluate_text,
    evaluate_value,
)
from windlass.plan.matrix import has_computed_name
from windlass.plan.orders import (
    DEFAULT_CANCEL_TIMEOUT_MINUTES,
    DEFAULT_TIMEOUT_MINUTES,
    SecretHandover,
    StartJob,
)
from windlass.plan.permissions import resolve_permissions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.expressions import Value
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import AnyJob, Job, PermissionLevel, Workflow
    from windlass.plan.matrix import Leg


def leg_contexts(job: AnyJob, leg: Leg, contexts: Mapping[str, Value]) -> dict[str, Value]:
    """Return what the keys of one leg may look at: the job's contexts, strategy and matrix."""
    github = contexts["github"]
    known = github if isinstance(github, dict) else {}
    return {
        **contexts,
        "github": {**known, "job": job.id},
        "strategy": leg.strategy,
        "matrix": leg.matrix,
    }


def name_leg(job: AnyJob, leg: Leg, contexts: Mapping[str, Value]) -> str | PlanFault:
    """Return what people see of one leg; a computed name that is empty falls back to the leg's."""
    if not has_computed_name(job):
        return leg.name
    name = evaluate_text(job.name, Scope(contexts))
    return name if isinstance(name, PlanFault) else (name or leg.name)


def prepare_job(
    job: Job,
    *,
    key: str,
    name: str,
    workflow: Workflow,
    contexts: Mapping[str, Value],
    handovers: tuple[SecretHandover, ...],
    path: tuple[str, ...] = (),
    ceiling: Mapping[str, PermissionLevel] | None = None,
) -> StartJob | PlanFault:
    """Return the order that starts a leg, or the key of it that could not be evaluated.

    `ceiling` is what the token of its caller may do, None for a job of the run's own workflow.
    """
    settings = _evaluate_settings(job, contexts)
    if isinstance(settings, PlanFault):
        return settings
    return StartJob(
        key=key,
        name=name,
        job=job,
        workflow=workflow,
        contexts=contexts,
        labels=settings.labels,
        environment=settings.environment,
        timeout_minutes=settings.timeout_minutes,
        cancel_timeout_minutes=settings.cancel_timeout_minutes,
        continue_on_error=settings.continue_on_error,
        handovers=handovers,
        path=path,
        permissions=resolve_permissions(job, workflow, ceiling=ceiling),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """What the keys of a job say when its leg starts."""

    labels: tuple[str, ...]
    environment: str | None
    timeout_minutes: int
    cancel_timeout_minutes: int
    continue_on_error: bool


def _evaluate_settings(job: Job, contexts: Mapping[str, Value]) -> _Settings | PlanFault:
    """Evaluate the keys of a job; the first one that cannot be is the fault."""
    scope = Scope(contexts)
    labels = _evaluate_labels(job.runs_on, scope)
    environment = evaluate_environment(job.environment, contexts)
    timeout = evaluate_minutes(job.timeout_minutes, scope)
    cancel_timeout = evaluate_minutes(job.cancel_timeout_minutes, scope)
    continue_on_error = evaluate_boolean(job.continue_on_error, scope)
    if isinstance(labels, PlanFault):
        return labels
    if isinstance(environment, PlanFault):
        return environment
    if isinstance(timeout, PlanFault):
        return timeout
    if isinstance(cancel_timeout, PlanFault):
        return cancel_timeout
    if isinstance(continue_on_error, PlanFault):
        return continue_on_error
    return _Settings(
        labels=labels,
        environment=environment if isinstance(environment, str) else None,
        timeout_minutes=DEFAULT_TIMEOUT_MINUTES if timeout is None else timeout,
        cancel_timeout_minutes=(
            DEFAULT_CANCEL_TIMEOUT_MINUTES if cancel_timeout is None else cancel_timeout
        ),
        continue_on_error=continue_on_error,
    )


def open_call(leg: LegRun) -> Level | PlanFault:
    """Return the level that a calling leg opens, or why the workflow cannot be called."""
    job, level = leg.node.job, leg.node.level
    assert isinstance(job, CallJob)  # noqa: S101 (the caller looked)
    called = job.called
    if called is None:
        return PlanFault(f"The workflow '{job.uses.value}' was not found", job.uses.span)
    if level.depth >= MAX_LEVELS:
        message = f"Workflows may call one another {MAX_LEVELS} levels deep; this is one more"
        return PlanFault(message, job.uses.span)
    inputs = evaluate_inputs(job, called, caller=leg.contexts, defaults=level.contexts)
    if isinstance(inputs, PlanFault):
        return inputs
    handover = SecretHandover(job.inherit_secrets, job.secrets, leg.contexts)
    return Level(
        workflow=called,
        contexts={**level.contexts, "inputs": inputs},
        caller=leg,
        handovers=(*level.handovers, handover),
        ceiling=resolve_permissions(job, level.workflow, ceiling=level.ceiling),
        depth=level.depth + 1,
        cancelled=level.cancelled,
    )


def _evaluate_labels(token: Token, scope: Scope) -> tuple[str, ...] | PlanFault:
    """Return the labels a runner must have: a string, a list, or a mapping with `labels`."""
    if isinstance(token, StringToken):
        return (token.value,)
    value = evaluate_value(token, scope)
    if isinstance(value, PlanFault):
        return value
    if isinstance(value, dict):
        value = value.get("labels", [])
    labels = value if isinstance(value, list) else [value]
    if not all(kind_of(label) in ("String", "Number") for label in labels):
        return PlanFault("A label of 'runs-on' is not a string", token.span)
    texts = tuple(to_text(label) for label in labels)
    if "" in texts:
        return PlanFault("Unexpected value ''", token.span)
    return texts
