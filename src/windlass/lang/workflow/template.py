"""A workflow as GitHub's own parser writes it in JSON: what `windlass workflow parse` prints.

Source: actions/languageservices, workflow-parser/src/model/workflow-template.ts and
src/templates/tokens/serialization.ts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from windlass.lang.tokens import (
    BooleanToken,
    ExpressionToken,
    InsertToken,
    MappingToken,
    NullToken,
    NumberToken,
    SequenceToken,
    StringToken,
)
from windlass.lang.workflow.model import (
    ActionStep,
    CallJob,
    CancelStep,
    ParallelStep,
    RunStep,
    WaitAllStep,
    WaitStep,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import (
        AnyJob,
        Condition,
        Job,
        Step,
        Workflow,
    )
    from windlass.lang.workflow.result import Reading

_SEQUENCE, _MAPPING, _EXPRESSION, _INSERT = 1, 2, 3, 4


def write_template(reading: Reading) -> dict[str, Any] | None:
    """Return the JSON of a workflow that was read without errors, else None."""
    if reading.workflow is None or reading.tokens is None:
        return None
    workflow = reading.workflow
    return _without_missing(
        {
            "events": _events(reading.tokens.find("on")),
            "jobs": _jobs(reading, workflow),
            "concurrency": _token(workflow.concurrency),
            "env": _token(workflow.env),
        }
    )


def write_token(token: Token) -> Any:
    """Return the JSON of a token; expressions, lists and mappings are marked by a type."""
    match token:
        case NullToken():
            return None
        case BooleanToken(value=value) | StringToken(value=value):
            return value
        case NumberToken(value=value):
            return _number(value)
        case ExpressionToken():
            return {"type": _EXPRESSION, "expr": token.expression}
        case InsertToken():
            return {"type": _INSERT, "expr": "insert"}
        case SequenceToken():
            return {"type": _SEQUENCE, "seq": [write_token(item) for item in token.items]}
        case MappingToken():
            entries = [
                {"Key": write_token(key), "Value": write_token(value)}
                for key, value in token.entries
            ]
            return {"type": _MAPPING, "map": entries}


def _number(value: float) -> float | int | None:
    if math.isnan(value) or math.isinf(value):
        return None
    return int(value) if value == int(value) and abs(value) < 10**21 else value


class _Missing:
    """Marks a key that is not written at all."""


_MISSING = _Missing()


def _without_missing(entries: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if not isinstance(value, _Missing)}


def _token(token: Token | None) -> Any:
    return _MISSING if token is None else write_token(token)


def _condition(condition: Condition) -> dict[str, Any]:
    return {"type": _EXPRESSION, "expr": condition.expression}


def _jobs(reading: Reading, workflow: Workflow) -> list[dict[str, Any]]:
    written = _section(reading.tokens, "jobs")
    jobs = []
    for job in workflow.jobs:
        tokens = _section(written, job.id)
        if isinstance(job, CallJob):
            jobs.append(_call_job(job, reading.called.get(job.id)))
        else:
            jobs.append(_job(job, _section(tokens, "needs"), _section(tokens, "steps")))
    return jobs


def _section(token: Token | None, key: str) -> Token | None:
    return token.find(key) if isinstance(token, MappingToken) else None


def _job(job: Job, needs: Token | None, steps: Token | None) -> dict[str, Any]:
    return _without_missing(
        {
            "type": "job",
            "id": job.id,
            "name": _job_name(job),
            "needs": _MISSING if needs is None else [need.value for need in job.needs],
            "if": _condition(job.condition),
            "env": _token(job.env),
            "concurrency": _token(job.concurrency),
            "environment": _token(job.environment),
            "strategy": _token(job.strategy),
            "runs-on": write_token(job.runs_on),
            "container": _token(job.container),
            "services": _token(job.services),
            "outputs": _token(job.outputs),
            "steps": _steps(job.steps, steps),
            "snapshot": _token(job.snapshot),
        }
    )


def _call_job(job: CallJob, called: Reading | None) -> dict[str, Any]:
    definitions = _call_definitions(called)
    jobs: Any = _MISSING
    if called is not None and called.workflow is not None:
        jobs = _jobs(called, called.workflow)
    return _without_missing(
        {
            "type": "reusableWorkflowJob",
            "id": job.id,
            "name": _job_name(job),
            "needs": [need.value for need in job.needs],
            "if": _condition(job.condition),
            "ref": job.uses.value,
            "input-definitions": _token(definitions.get("inputs")),
            "input-values": _token(job.inputs),
            "secret-definitions": _token(definitions.get("secrets")),
            "secret-values": _token(job.secrets),
            "inherit-secrets": True if job.inherit_secrets else _MISSING,
            "outputs": _token(definitions.get("outputs")),
            "concurrency": _token(job.concurrency),
            "strategy": _token(job.strategy),
            "jobs": jobs,
        }
    )


def _call_definitions(called: Reading | None) -> Mapping[str, Token]:
    """Return what a called workflow says under `on.workflow_call`, as it was written."""
    events = _section(called.tokens, "on") if called is not None else None
    call = _section(events, "workflow_call")
    entries = call.entries if isinstance(call, MappingToken) else ()
    return {key.value: value for key, value in entries if isinstance(key, StringToken)}


def _job_name(job: AnyJob) -> Any:
    if job.name is None or (isinstance(job.name, StringToken) and not job.name.value):
        return job.id
    return write_token(job.name)


def _steps(steps: tuple[Step, ...], token: Token | None) -> list[dict[str, Any]]:
    written = token.items if isinstance(token, SequenceToken) else ()
    return [_step(step, tokens) for step, tokens in zip(steps, written, strict=True)]


def _step(step: Step, tokens: Token) -> dict[str, Any]:
    common = {"id": step.id, "name": _token(step.name)}
    on_error = _token(step.continue_on_error)
    if isinstance(step, (RunStep, ActionStep)):
        main = {"run": step.run} if isinstance(step, RunStep) else {"uses": step.uses}
        entries = {
            **common,
            "if": _condition(step.condition),
            "continue-on-error": on_error,
            "env": _token(step.env),
            **{key: write_token(value) for key, value in main.items()},
            "background": _token(_section(tokens, "background")),
        }
        return _without_missing(entries)
    if step.name is None:
        common["name"] = _default_name(step)
    if isinstance(step, ParallelStep):
        return {**common, "parallel": _steps(step.steps, _section(tokens, "parallel"))}
    return _without_missing({**common, "continue-on-error": on_error, **_steering(step)})


def _default_name(step: Step) -> str:
    names = {WaitStep: "Wait", WaitAllStep: "Wait for all", CancelStep: "Cancel"}
    return names.get(type(step), "Parallel group")


def _steering(step: Step) -> dict[str, Any]:
    if isinstance(step, WaitStep):
        return {"wait": [target.value for target in step.targets]}
    if isinstance(step, CancelStep):
        return {"cancel": step.target.value}
    return {"wait-all": True}


def _events(token: Token | None) -> dict[str, Any]:
    """Return the events as they were written; the typed ones do not tell `false` from nothing."""
    if isinstance(token, MappingToken):
        return {_text(key): _event(_text(key), value) for key, value in token.entries}
    names = token.items if isinstance(token, SequenceToken) else (token,)
    return {_text(name): {} for name in names}


def _event(name: str, value: Token) -> Any:
    if isinstance(value, SequenceToken):
        return [_plain_mapping(item) for item in value.items]
    if not isinstance(value, MappingToken):
        return {}
    if name in ("workflow_call", "workflow_dispatch"):
        return _definitions(value)
    return {_text(key): _patterns(patterns) for key, patterns in value.entries}


def _patterns(value: Token) -> list[str]:
    items = value.items if isinstance(value, SequenceToken) else (value,)
    return [_text(item) for item in items]


def _definitions(value: MappingToken) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for key, section in value.entries:
        entries = section.entries if isinstance(section, MappingToken) else ()
        if _text(key) == "inputs":
            written["inputs"] = {_text(name): _input(one) for name, one in entries}
        elif _text(key) == "secrets":
            written["secrets"] = {_text(name): _plain_mapping(one) for name, one in entries}
    return written


def _input(token: Token) -> dict[str, Any]:
    """Return one input; GitHub's parser leaves the type and the default of numbers out."""
    entries = {"type": "string", **_plain_mapping(token)}
    if isinstance(entries.get("default"), dict) or entries["type"] == "number":
        entries.pop("default", None)
    if entries["type"] == "number":
        del entries["type"]
    if "options" in entries:
        entries["options"] = entries["options"]["seq"]
    return entries


def _plain_mapping(token: Token) -> dict[str, Any]:
    entries = token.entries if isinstance(token, MappingToken) else ()
    return {_text(key): write_token(value) for key, value in entries}


def _text(token: Token | None) -> str:
    return token.value if isinstance(token, StringToken) else ""
