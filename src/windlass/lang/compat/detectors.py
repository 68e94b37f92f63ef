"""Where a workflow uses what Windlass refuses or does differently."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.lang.compat.feature import Use
from windlass.lang.compat.published import find_tried
from windlass.lang.docker_calls import find_call, is_docker_action
from windlass.lang.runner_labels import literal_labels, system_of
from windlass.lang.tokens import ExpressionToken, MappingToken, SequenceToken, StringToken
from windlass.lang.workflow.model import (
    ActionStep,
    CallJob,
    Job,
    ParallelStep,
    RunStep,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import AnyJob, Permissions, Step, Workflow

_CHECKOUT = re.compile(r"actions/checkout@.+", re.IGNORECASE)
_LOCAL_PREFIXES = ("./", "$/")
_FOREIGN_SHELLS = frozenset({"pwsh", "powershell", "cmd"})
_TOKEN = re.compile(r"\bgithub\s*\.\s*token\b|\bsecrets\s*\.\s*GITHUB_TOKEN\b", re.IGNORECASE)


def steps_of(job: AnyJob) -> Iterator[Step]:
    """Yield every step of a job, those inside `parallel` too."""
    if isinstance(job, Job):
        yield from _flatten(job.steps)


def _flatten(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, ParallelStep):
            yield from _flatten(step.steps)


def _uses(job: AnyJob) -> Iterator[StringToken]:
    for step in steps_of(job):
        if isinstance(step, ActionStep):
            yield step.uses


def _quoted(token: StringToken) -> Use:
    return Use(f"`{token.value}`", token.span)


def remote_actions(job: AnyJob) -> Iterator[Use]:
    """Find `uses: owner/repo@ref` other than actions/checkout."""
    for uses in _uses(job):
        is_local = uses.value.startswith((*_LOCAL_PREFIXES, "docker://"))
        if not is_local and not _CHECKOUT.fullmatch(uses.value):
            tried = find_tried(uses.value)
            remark = f"{tried.action} {tried.summary}" if tried else ""
            yield Use(f"`{uses.value}`", uses.span, remark)


def image_actions(job: AnyJob) -> Iterator[Use]:
    """Find `uses: docker://image` steps."""
    return (_quoted(uses) for uses in _uses(job) if uses.value.startswith("docker://"))


def docker_calls(job: AnyJob) -> Iterator[Use]:
    """Find scripts that call Docker, and published actions that are known to do so."""
    for step in steps_of(job):
        if isinstance(step, ActionStep) and is_docker_action(step.uses.value):
            yield _quoted(step.uses)
        elif isinstance(step, RunStep) and isinstance(step.run, StringToken | ExpressionToken):
            script = step.run.value if isinstance(step.run, StringToken) else step.run.source
            if call := find_call(script):
                yield Use(f"`{call}`", step.run.span)


def checkouts(job: AnyJob) -> Iterator[Use]:
    """Find `uses: actions/checkout@…`."""
    return (_quoted(uses) for uses in _uses(job) if _CHECKOUT.fullmatch(uses.value))


def other_repositories(job: AnyJob) -> Iterator[Use]:
    """Find actions/checkout with `repository`."""
    return _checkout_inputs(job, "repository")


def _checkout_inputs(job: AnyJob, name: str) -> Iterator[Use]:
    for step in steps_of(job):
        if isinstance(step, ActionStep) and _CHECKOUT.fullmatch(step.uses.value):
            value = step.inputs.find(name) if isinstance(step.inputs, MappingToken) else None
            if value is not None and not (isinstance(value, StringToken) and not value.value):
                yield Use(f"`{name}` of `{step.uses.value}`", value.span)


def remote_workflows(job: AnyJob) -> Iterator[Use]:
    """Find jobs that call a workflow of another repository."""
    if isinstance(job, CallJob) and not job.uses.value.startswith(_LOCAL_PREFIXES):
        yield _quoted(job.uses)


def containers(job: AnyJob) -> Iterator[Use]:
    """Find jobs with `container:`."""
    if isinstance(job, Job) and job.container is not None:
        yield Use(f"`container` of job `{job.id}`", job.container.span)


def service_containers(job: AnyJob) -> Iterator[Use]:
    """Find jobs with `services:`, one use for each service."""
    if not isinstance(job, Job) or job.services is None:
        return
    if not isinstance(job.services, MappingToken):
        yield Use(f"`services` of job `{job.id}`", job.services.span)
        return
    for key, _ in job.services.entries:
        if isinstance(key, StringToken):
            yield Use(f"service `{key.value}` of job `{job.id}`", key.span)


def snapshots(job: AnyJob) -> Iterator[Use]:
    """Find jobs with `snapshot:`."""
    if isinstance(job, Job) and job.snapshot is not None:
        yield Use(f"`snapshot` of job `{job.id}`", job.snapshot.span)


def foreign_runners(job: AnyJob) -> Iterator[Use]:
    """Find `runs-on` labels of Windows and macOS, in the values of the matrix too."""
    if isinstance(job, Job):
        for label in literal_labels(job):
            if system_of(label.value) in ("windows", "macos"):
                yield _quoted(label)


def linux_runners(job: AnyJob) -> Iterator[Use]:
    """Find every other `runs-on`: such a job runs on a Linux machine."""
    if isinstance(job, Job) and not any(True for _ in foreign_runners(job)):
        text = job.runs_on.value if isinstance(job.runs_on, StringToken) else "runs-on"
        yield Use(f"`{text}`", job.runs_on.span)


def foreign_shells(job: AnyJob) -> Iterator[Use]:
    """Find shells that a Linux machine rarely has: `pwsh`, `powershell`, `cmd`."""
    for step in steps_of(job):
        shell = step.shell if isinstance(step, RunStep) else None
        if isinstance(shell, StringToken) and shell.value.lower() in _FOREIGN_SHELLS:
            yield _quoted(shell)


def environments(job: AnyJob) -> Iterator[Use]:
    """Find jobs with `environment:`."""
    if isinstance(job, Job) and job.environment is not None:
        yield Use(f"`environment` of job `{job.id}`", job.environment.span)


def schedules(workflow: Workflow) -> Iterator[Use]:
    """Find `on.schedule` entries."""
    for schedule in workflow.triggers.schedules:
        yield Use(f"`cron: {schedule.cron}`", schedule.span)


def followed_workflows(workflow: Workflow) -> Iterator[Use]:
    """Find `on.workflow_run`."""
    trigger = workflow.triggers.events.get("workflow_run")
    if trigger is not None:
        yield Use("`workflow_run`", trigger.span)


def concurrency_groups(workflow: Workflow) -> Iterator[Use]:
    """Find `concurrency` of the workflow and of its jobs."""
    if workflow.concurrency is not None:
        yield Use("`concurrency` of the workflow", workflow.concurrency.span)
    for job in workflow.jobs:
        if job.concurrency is not None:
            yield Use(f"`concurrency` of job `{job.id}`", job.concurrency.span)


def _permissions(workflow: Workflow) -> Iterator[tuple[str, Permissions]]:
    if workflow.permissions is not None:
        yield "the workflow", workflow.permissions
    for job in workflow.jobs:
        if job.permissions is not None:
            yield f"job `{job.id}`", job.permissions


def permission_blocks(workflow: Workflow) -> Iterator[Use]:
    """Find every `permissions:`."""
    for owner, permissions in _permissions(workflow):
        yield Use(f"`permissions` of {owner}", permissions.span)


def identity_tokens(workflow: Workflow) -> Iterator[Use]:
    """Find `id-token: write`."""
    for owner, permissions in _permissions(workflow):
        if permissions.scopes.get("id-token") == "write":
            yield Use(f"`id-token: write` of {owner}", permissions.span)


def job_tokens(workflow: Workflow) -> Iterator[Use]:
    """Find `github.token` and `secrets.GITHUB_TOKEN`."""
    for token in _workflow_tokens(workflow):
        for found in _expressions(token):
            name = _TOKEN.search(found.expression)
            if name is not None:
                yield Use(f"`{name[0]}`", found.span)


def _workflow_tokens(workflow: Workflow) -> Iterator[Token | None]:
    yield workflow.env
    for job in workflow.jobs:
        if isinstance(job, CallJob):
            yield from (job.inputs, job.secrets)
            continue
        yield from (job.env, job.outputs, job.container, job.services)
        for step in steps_of(job):
            yield step.env
            if isinstance(step, RunStep):
                yield step.run
            elif isinstance(step, ActionStep):
                yield step.inputs


def _expressions(token: Token | None) -> Iterator[ExpressionToken]:
    match token:
        case ExpressionToken():
            yield token
        case SequenceToken():
            for item in token.items:
                yield from _expressions(item)
        case MappingToken():
            for _, value in token.entries:
                yield from _expressions(value)
