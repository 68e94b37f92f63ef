"""The nouns of a workflow file.

What GitHub fixes when it reads the file is plain data here; what may hold expressions stays a token
until the plan or the job evaluates it.
Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.positions import Span
    from windlass.lang.tokens import (
        ComputedMapping,
        ExpressionToken,
        MappingToken,
        StringToken,
        Token,
    )

PermissionLevel: TypeAlias = Literal["none", "read", "write"]
InputType: TypeAlias = Literal["string", "boolean", "number", "choice", "environment"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One filter pattern as written, e.g. `!docs/**`."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What follows one event under `on:`. None means the key is not there."""

    name: str
    span: Span
    types: tuple[Pattern, ...] | None = None
    branches: tuple[Pattern, ...] | None = None
    branches_ignore: tuple[Pattern, ...] | None = None
    tags: tuple[Pattern, ...] | None = None
    tags_ignore: tuple[Pattern, ...] | None = None
    paths: tuple[Pattern, ...] | None = None
    paths_ignore: tuple[Pattern, ...] | None = None
    workflows: tuple[Pattern, ...] | None = None
    names: tuple[Pattern, ...] | None = None
    versions: tuple[Pattern, ...] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """One `cron` line under `on.schedule`, read in `timezone` (UTC when None)."""

    cron: str
    timezone: str | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDefinition:
    """One input of `workflow_dispatch` or `workflow_call`."""

    name: str
    span: Span
    type: InputType = "string"
    description: str | None = None
    required: bool = False
    default: Token | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDefinition:
    """One secret that a reusable workflow asks for."""

    name: str
    span: Span
    required: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDefinition:
    """One output of a reusable workflow; its value is an expression over `jobs`."""

    name: str
    span: Span
    value: Token
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """The whole of `on:`. A mapping keeps the order of the file."""

    span: Span
    events: Mapping[str, EventFilter]
    schedules: tuple[Schedule, ...] = ()
    dispatch_inputs: Mapping[str, InputDefinition] = field(default_factory=dict)
    call_inputs: Mapping[str, InputDefinition] = field(default_factory=dict)
    call_secrets: Mapping[str, SecretDefinition] = field(default_factory=dict)
    call_outputs: Mapping[str, OutputDefinition] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permissions:
    """A `permissions:` key: `all` for read-all / write-all, else the scopes that were written."""

    all: Literal["read", "write"] | None
    scopes: Mapping[str, PermissionLevel]
    span: Span


@dataclass(frozen=True, slots=True)
class Condition:
    """An `if:`. `expression` is what is evaluated, after GitHub's implicit `success() && (…)`.

    `source` is what the user wrote (None where there was no `if`), `span` its place.
    """

    expression: str
    source: str | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class RunDefaults:
    """`defaults.run`: tokens, since a job's defaults may hold expressions.

    `computed` is one expression that stands for both.
    """

    shell: Token | None = None
    working_directory: Token | None = None
    computed: ExpressionToken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBase:
    """What every kind of step has. `id` is the user's or a generated one (`__run`, `__run_2`)."""

    id: str
    id_given: bool
    span: Span
    name: Token | None = None
    condition: Condition = Condition("success()")
    continue_on_error: Token | None = None
    timeout_minutes: Token | None = None
    env: ComputedMapping | None = None
    background: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep(StepBase):
    """A step with `run:`."""

    run: Token
    shell: Token | None = None
    working_directory: Token | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStep(StepBase):
    """A step with `uses:`."""

    uses: StringToken
    inputs: ComputedMapping | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStep(StepBase):
    """`wait: id` or `wait: [ids]`: wait for background steps."""

    targets: tuple[StringToken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitAllStep(StepBase):
    """`wait-all:` waits for every background step started so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelStep(StepBase):
    """`cancel: id` ends a background step."""

    target: StringToken


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelStep(StepBase):
    """`parallel: [steps]`: background steps with a wait for all of them."""

    steps: tuple[Step, ...]


Step: TypeAlias = "RunStep | ActionStep | WaitStep | WaitAllStep | CancelStep | ParallelStep"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBase:
    """What a job that runs steps and a job that calls a workflow have in common."""

    id: str
    span: Span
    name: Token | None = None
    needs: tuple[StringToken, ...] = ()
    condition: Condition = Condition("success()")
    strategy: Token | None = None
    concurrency: Token | None = None
    permissions: Permissions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(JobBase):
    """A job that runs steps on a runner."""

    runs_on: Token
    steps: tuple[Step, ...]
    env: ComputedMapping | None = None
    defaults: RunDefaults | None = None
    outputs: MappingToken | None = None
    environment: Token | None = None
    container: Token | None = None
    services: Token | None = None
    snapshot: Token | None = None
    timeout_minutes: Token | None = None
    cancel_timeout_minutes: Token | None = None
    continue_on_error: Token | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallJob(JobBase):
    """A job that calls a reusable workflow. `inherit_secrets` is `secrets: inherit`.

    `called` is the workflow, where the reader could resolve it.
    """

    uses: StringToken
    inputs: MappingToken | None = None
    secrets: MappingToken | None = None
    inherit_secrets: bool = False
    called: Workflow | None = None


AnyJob: TypeAlias = "Job | CallJob"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One workflow file that was read without errors. `jobs` are in the order of the file."""

    path: str
    span: Span
    triggers: Triggers
    jobs: tuple[AnyJob, ...]
    name: str | None = None
    description: str | None = None
    run_name: Token | None = None
    permissions: Permissions | None = None
    env: ComputedMapping | None = None
    defaults: RunDefaults | None = None
    concurrency: Token | None = None
