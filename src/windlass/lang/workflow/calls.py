"""Jobs that call a workflow: find it, read it, and compare what is passed with what it asks for.

Source: actions/languageservices, workflow-parser/src/model/converter/referencedWorkflow.ts and
job/{inputs,secrets}.ts; depth, types and permissions from actions/runner,
WorkflowParser/Conversion/{ReusableWorkflowsLoader,PermissionsHelper,WorkflowTemplateConverter}.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.reader import literal_text
from windlass.lang.tokens import BooleanToken, NumberToken, StringToken
from windlass.lang.workflow.expectations import text_of
from windlass.lang.workflow.model import CallJob
from windlass.lang.workflow.permissions import violations
from windlass.model.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.lang.problems import Problems
    from windlass.lang.tokens import MappingToken, Token
    from windlass.lang.workflow.model import AnyJob, Permissions, Triggers, Workflow
    from windlass.lang.workflow.result import Reading

MAX_DEPTH = 9
"""How many workflows may be called in a chain below the first one.

https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations
"""


@dataclass(frozen=True, slots=True)
class Unread:
    """Why the content of a called workflow cannot be had, and what to do about it."""

    message: str
    hint: str | None = None


MAX_JOBS = 1000
"""How many jobs a workflow may have, those of called workflows counted once for each call."""


@dataclass(slots=True)
class Calls:
    """Follows the calls of one workflow, and those of the workflows it calls."""

    problems: Problems
    resolve: Callable[[str], bytes | Unread | None]
    read_one: Callable[[Problems, str, bytes], Reading]
    _jobs: int = 0
    _remote: set[str] = field(default_factory=set)

    def follow(
        self, workflow: Workflow, callers: tuple[str, ...] = ()
    ) -> tuple[dict[str, Reading], Workflow]:
        """Return the readings by job id, and the workflow with the called ones in its jobs.

        `callers` are the paths of the workflows above this one, the first one first.
        """
        chain = (*callers, workflow.path)
        readings: dict[str, Reading] = {}
        jobs: list[AnyJob] = []
        for job in workflow.jobs:
            self._jobs += 1
            reading = None
            if isinstance(job, CallJob) and self._jobs <= MAX_JOBS:
                allowed = job.permissions or workflow.permissions
                reading = self._follow_one(job, allowed, chain)
            if isinstance(job, CallJob) and reading is not None:
                readings[job.id] = reading
                jobs.append(replace(job, called=reading.workflow))
            else:
                jobs.append(job)
        return readings, replace(workflow, jobs=tuple(jobs))

    def _follow_one(
        self, job: CallJob, allowed: Permissions | None, chain: tuple[str, ...]
    ) -> Reading | None:
        found = self._find(job, chain)
        if found is None:
            return None
        before = len(self.problems.found)
        reading = self.read_one(self.problems, *found)
        if reading.workflow is None:
            return None
        self._check(job, reading.workflow, allowed)
        self._check_number(job, reading.workflow)
        if len(self.problems.found) > before:
            return None
        called, workflow = self.follow(_limited(reading.workflow, allowed), chain)
        return replace(reading, workflow=workflow, called=called)

    def _find(self, job: CallJob, chain: tuple[str, ...]) -> tuple[str, bytes] | None:
        """Return the path and the content of a called workflow; None where it is not read."""
        uses = job.uses
        path = self._locate(uses.value, chain[-1])
        if path in chain:
            message = f"The workflow '{uses.value}' calls itself: {' calls '.join((*chain, path))}"
            self.problems.add("call-cycle", message, uses.span, "Loops are not permitted.")
            return None
        if len(chain) > MAX_DEPTH:
            message = f"Nested reusable workflow depth exceeded {MAX_DEPTH}."
            self.problems.add("call-depth", message, uses.span)
            return None
        content = None if path is None else self.resolve(path)
        if isinstance(content, Unread):
            message = (
                f'error parsing called workflow "{chain[-1]}" -> "{uses.value}": {content.message}'
            )
            self.problems.add("call-unread", message, uses.span, content.hint)
            return None
        if path is not None and content is not None:
            return path, content
        if path is None or path not in self._remote:
            message = "Unable to find reusable workflow"
            hint = "Write './.github/workflows/file.yml' or 'owner/repository/path@ref'."
            self.problems.add("call-not-found", message, uses.span, hint)
        return None

    def _locate(self, uses: str, caller: str) -> str | None:
        """Return what names a called workflow; a local one lies beside its caller."""
        path = called_path(uses)
        if path is None:
            return None
        if is_remote(uses):
            self._remote.add(path)
        elif caller in self._remote:
            location, _, ref = caller.partition("@")
            path = f"{'/'.join(location.split('/')[:2])}/{path}@{ref}"
            self._remote.add(path)
        return path

    def _check_number(self, job: CallJob, called: Workflow) -> None:
        if self._jobs + len(called.jobs) > MAX_JOBS:
            message = (
                f"Workflows may not contain more than {MAX_JOBS} jobs across all referenced files"
            )
            self.problems.add("call-jobs", message, job.uses.span)
            self._jobs = MAX_JOBS

    def _check(self, job: CallJob, called: Workflow, allowed: Permissions | None) -> None:
        if "workflow_call" not in called.triggers.events:
            message = "workflow_call key is not defined in the referenced workflow."
            self.problems.add("call-trigger", message, job.uses.span)
            return
        self._check_inputs(job, called.triggers)
        if not job.inherit_secrets:
            self._check_secrets(job, called.triggers)
        if allowed is not None:
            self._check_permissions(job, called, allowed)

    def _check_inputs(self, job: CallJob, triggers: Triggers) -> None:
        given = _by_name(job.inputs)
        for name, definition in triggers.call_inputs.items():
            value = given.get(name.lower())
            if value is not None:
                self._check_type(definition.type, value[1])
            elif definition.required:
                message = f"Input {name} is required, but not provided while calling."
                self.problems.add("call-input-missing", message, job.uses.span)
        known = {name.lower() for name in triggers.call_inputs}
        for folded, (name, value_token) in given.items():
            if folded not in known:
                message = f"Invalid input, {name} is not defined in the referenced workflow."
                self.problems.add("call-input-unknown", message, value_token.span)

    def _check_type(self, type_name: str, value: Token) -> None:
        expected = {"boolean": BooleanToken, "number": NumberToken}.get(type_name)
        if expected is None or isinstance(value, expected):
            return
        if isinstance(value, (StringToken, BooleanToken, NumberToken)):
            message = f"Unexpected value '{literal_text(value)}'"
            hint = f"The input's type is '{type_name}'."
            self.problems.add("call-input-type", message, value.span, hint)

    def _check_secrets(self, job: CallJob, triggers: Triggers) -> None:
        given = _by_name(job.secrets)
        for name, definition in triggers.call_secrets.items():
            if definition.required and name.lower() not in given:
                message = f"Secret {name} is required, but not provided while calling."
                self.problems.add("call-secret-missing", message, job.uses.span)
        known = {name.lower() for name in triggers.call_secrets}
        for folded, (name, value) in given.items():
            if folded not in known:
                message = f"Invalid secret, {name} is not defined in the referenced workflow."
                self.problems.add("call-secret-unknown", message, value.span)

    def _check_permissions(self, job: CallJob, called: Workflow, allowed: Permissions) -> None:
        uses = job.uses.value
        start = f"Error calling workflow '{uses}'."
        requests = [("The workflow", called.permissions)]
        requests += [
            (f"The nested job '{text_of(inner.name) or inner.id}'", inner.permissions)
            for inner in called.jobs
        ]
        for who, requested in requests:
            exceeding = None if requested is None else violations(requested, allowed)
            if exceeding is not None:
                asked, granted = exceeding
                message = f"{start} {who} is requesting '{asked}', but is only allowed '{granted}'."
                self.problems.add("call-permissions", message, job.span)


def called_path(uses: str) -> str | None:
    """Return what names a called workflow: its path for a local one, else the whole reference.

    None for a text that is neither.
    """
    if uses.startswith(("./", "$/")):
        return uses[2:]
    return uses if is_remote(uses) else None


def is_remote(uses: str) -> bool:
    """Say whether a reference is `owner/repository/path@ref`."""
    if uses.startswith(("./", "$/")):
        return False
    path, _, ref = uses.partition("@")
    return bool(ref) and len([segment for segment in path.split("/") if segment]) >= 2


def _by_name(mapping: MappingToken | None) -> Mapping[str, tuple[str, Token]]:
    entries = mapping.entries if mapping is not None else ()
    return {
        key.value.lower(): (key.value, value)
        for key, value in entries
        if isinstance(key, StringToken)
    }


def _limited(called: Workflow, allowed: Permissions | None) -> Workflow:
    """Return the called workflow with the permissions it gets: its own, or its caller's."""
    return called if called.permissions else replace(called, permissions=allowed)
