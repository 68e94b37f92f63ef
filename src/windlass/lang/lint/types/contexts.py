"""The types of the contexts in one place of a workflow.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.lint.composite import is_action
from windlass.lang.lint.known_actions import find_known_outputs
from windlass.lang.lint.places import steps_of
from windlass.lang.lint.repository import local_path
from windlass.lang.lint.types import matrix
from windlass.lang.lint.types.github import github_type
from windlass.lang.lint.types.kinds import (
    ANY,
    BOOLEAN,
    NUMBER,
    TEXT,
    Record,
    Text,
    Type,
    merge,
)
from windlass.lang.tokens import ExpressionToken, StringToken, entries_of
from windlass.lang.workflow.model import ActionStep, CallJob, Job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.lang.lint.places import Place
    from windlass.lang.lint.repository import Repository
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import AnyJob, InputDefinition, Step, Workflow

RESULTS = frozenset({"success", "failure", "cancelled", "skipped"})


class Contexts:
    """Gives the types of contexts; what is the same for many places is made once."""

    def __init__(self, workflow: Workflow, repository: Repository) -> None:
        self._workflow = workflow
        self._repository = repository
        self._jobs = {job.id.lower(): job for job in workflow.jobs}
        self._kept: dict[tuple[str, str, int | None], Type] = {}

    def find(self, name: str, place: Place) -> Type:
        """Return the type of a context (its name in lower case) in a place."""
        job = place.job.id if place.job is not None else ""
        key = (name, job, place.earlier if name == "steps" else None)
        if key not in self._kept:
            self._kept[key] = self._make(name, place)
        return self._kept[key]

    def _make(self, name: str, place: Place) -> Type:
        match name:
            case "github":
                return github_type(self._workflow)
            case "env" | "vars":
                return Record(rest=TEXT)
            case "inputs":
                return self._inputs()
            case "secrets":
                return self._secrets()
            case "jobs":
                return self._needs(self._workflow.jobs, "the workflow", "unknown-need")
            case "strategy":
                return _STRATEGY
            case "runner":
                return _RUNNER
        return self._make_of_job(name, place)

    def _make_of_job(self, name: str, place: Place) -> Type:
        job = place.job
        match name, job:
            case "needs", Job() | CallJob():
                names = [need.value.lower() for need in job.needs]
                needed = [self._jobs[each] for each in names if each in self._jobs]
                return self._needs(needed, "`needs`", "unknown-need")
            case "matrix", Job() | CallJob():
                return matrix.matrix_type(job.strategy)
            case "job", Job():
                return _job_type(job)
            case "steps", Job():
                return self._steps(job, place.earlier)
            case _:
                return ANY

    def _inputs(self) -> Type:
        triggers = self._workflow.triggers
        definitions = (*triggers.dispatch_inputs.values(), *triggers.call_inputs.values())
        where = "`on.workflow_dispatch.inputs` or `on.workflow_call.inputs`"
        if is_action(self._workflow.path):
            where = "`inputs`"
        members: dict[str, Type] = {}
        for definition in definitions:
            name = definition.name.lower()
            kind = _input_type(definition)
            members[name] = merge([members[name], kind]) if name in members else kind
        return Record(
            members=members,
            code="unknown-input",
            hint=f"declare it under {where}",
        )

    def _secrets(self) -> Type:
        triggers = self._workflow.triggers
        if list(triggers.events) != ["workflow_call"] or not triggers.call_secrets:
            return Record(rest=TEXT)
        names = (*triggers.call_secrets, "github_token", "actions_step_debug")
        return Record(
            members={name.lower(): TEXT for name in (*names, "actions_runner_debug")},
            code="undeclared-secret",
            hint="declare it under `on.workflow_call.secrets`",
        )

    def _needs(self, jobs: Iterable[AnyJob], label: str, code: str) -> Type:
        members: dict[str, Type] = {}
        for job in jobs:
            result = Text(values=RESULTS, label=f"the result of job `{job.id}`")
            members[job.id.lower()] = Record(
                members={"result": result, "outputs": self._job_outputs(job)},
                label=f"job `{job.id}`",
            )
        hint = "add the job to `needs`" if label == "`needs`" else None
        return Record(members=members, code=code, label=label, hint=hint)

    def _job_outputs(self, job: AnyJob) -> Type:
        label = f"`outputs` of job `{job.id}`"
        if isinstance(job, Job):
            return _strict_outputs(_keys(job.outputs), label)
        path = local_path(job.uses.value)
        called = self._repository.find_workflow(path) if path is not None else None
        if called is None:
            return Record(rest=ANY)
        return _strict_outputs(tuple(called.triggers.call_outputs), label)

    def _steps(self, job: Job, earlier: int | None) -> Type:
        members: dict[str, Type] = {}
        for found in steps_of(job)[:earlier]:
            if found.step.id_given:
                members[found.step.id.lower()] = self._step_type(found.step)
        hint = "the step must have this `id` and stand before"
        if earlier is None:
            hint = "give the step this `id`"
        return Record(members=members, code="unknown-step", hint=hint)

    def _step_type(self, step: Step) -> Type:
        result = Text(values=RESULTS, label=f"the outcome of step `{step.id}`")
        return Record(
            members={
                "outputs": self._step_outputs(step),
                "outcome": result,
                "conclusion": result,
            },
            label=f"step `{step.id}`",
        )

    def _step_outputs(self, step: Step) -> Type:
        label = f"`outputs` of step `{step.id}`"
        if isinstance(step, ActionStep):
            known = find_known_outputs(step.uses.value)
            if known is not None:
                return _strict_outputs(known, label)
        path = local_path(step.uses.value) if isinstance(step, ActionStep) else None
        action = self._repository.find_action(path) if path is not None else None
        if action is None or action.is_docker or action.is_javascript:
            return Record(rest=TEXT)
        return _strict_outputs(tuple(action.outputs), label)


def _strict_outputs(names: tuple[str, ...], label: str) -> Type:
    members: dict[str, Type] = {name.lower(): TEXT for name in names}
    return Record(members=members, code="unknown-output", label=label)


def _keys(token: Token | None) -> tuple[str, ...]:
    return tuple(key.value for key, _ in entries_of(token) if isinstance(key, StringToken))


def _input_type(definition: InputDefinition) -> Type:
    match definition.type:
        case "boolean":
            return BOOLEAN
        case "number":
            return NUMBER
        case "choice":
            return Text(
                values=frozenset({*definition.options, ""}),
                is_fixed=False,
                label=f"the input `{definition.name}`",
            )
        case _:
            return TEXT


def _job_type(job: Job) -> Type:
    status = Text(values=frozenset({"success", "failure", "cancelled"}))
    container = Record(members={"id": TEXT, "network": TEXT})
    service = Record(members={"id": TEXT, "network": TEXT, "ports": Record(rest=TEXT)})
    services = Record(rest=service)
    if not isinstance(job.services, ExpressionToken):
        members: dict[str, Type] = {name.lower(): service for name in _keys(job.services)}
        services = Record(members=members)
    texts = ("check_run_id", "workflow_ref", "workflow_sha", "workflow_repository")
    members = dict.fromkeys((*texts, "workflow_file_path"), TEXT)
    members |= {"status": status, "container": container, "services": services}
    return Record(members=members)


_STRATEGY = Record(
    members={
        "fail-fast": BOOLEAN,
        "job-index": NUMBER,
        "job-total": NUMBER,
        "max-parallel": NUMBER,
    },
)
_RUNNER = Record(
    members={
        "name": TEXT,
        "os": Text(values=frozenset({"Linux", "Windows", "macOS"})),
        "arch": Text(values=frozenset({"X86", "X64", "ARM", "ARM64"})),
        "temp": TEXT,
        "tool_cache": TEXT,
        "workspace": TEXT,
        "debug": TEXT,
        "environment": Text(values=frozenset({"github-hosted", "self-hosted"})),
    },
)
