"""What a run wants done: the output of `windlass.plan.run`, carried out by the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.expressions import Value
    from windlass.lang.tokens import MappingToken
    from windlass.lang.workflow.model import Job, PermissionLevel, Workflow
    from windlass.model.status import Result
    from windlass.plan.concurrency import Concurrency
    from windlass.plan.decision import Decision

DEFAULT_TIMEOUT_MINUTES: Final = 360
DEFAULT_CANCEL_TIMEOUT_MINUTES: Final = 5
"""GitHub's limits for a job that sets none.

Source: actions/runner src/Sdk/WorkflowParser/WorkflowConstants.cs
"""


@dataclass(frozen=True, slots=True)
class SecretHandover:
    """How one caller hands secrets to the workflow it calls; `secrets` is evaluated in `contexts`.

    Orders never hold secrets: whoever carries a job out starts with the run's secrets and applies
    the handovers from the outermost caller to the innermost.
    """

    inherit: bool
    secrets: MappingToken | None
    contexts: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob:
    """Run the steps of one job (one combination of its matrix).

    `key` names the job within the run, unique and stable: `build`, `build (3.12, linux)`,
    `call / build`. `name` is what people see. `contexts` holds github, needs, strategy, matrix,
    inputs and vars. `timeout_minutes`, `cancel_timeout_minutes` (how long the steps that run after
    a cancellation may take) and `continue_on_error` are already evaluated; minutes are whole.
    `path` are the ids of the calls that lead to the job, and its own. `permissions` is what the
    job's token may do, by scope.
    """

    key: str
    name: str
    job: Job
    workflow: Workflow
    contexts: Mapping[str, Value]
    labels: tuple[str, ...]
    environment: str | None
    timeout_minutes: int
    continue_on_error: bool
    handovers: tuple[SecretHandover, ...] = ()
    path: tuple[str, ...] = ()
    permissions: Mapping[str, PermissionLevel] = field(default_factory=dict)
    cancel_timeout_minutes: int = DEFAULT_CANCEL_TIMEOUT_MINUTES


@dataclass(frozen=True, slots=True)
class SkipJob:
    """The job does not run; the decision says why."""

    key: str
    name: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class DropJob:
    """The job was due but is cancelled before it starts: it ends as cancelled."""

    key: str
    name: str
    reason: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectJob:
    """The job fails before it starts: a key of it could not be evaluated."""

    key: str
    name: str
    message: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelJob:
    """End a job that was started."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class EnterGroup:
    """Wait until nobody else runs in a concurrency group; the answer is a signal.

    `key` is that of the job, or empty for the run, or that of a call with ` / ` behind it for the
    group of the called workflow itself.
    """

    key: str
    name: str
    concurrency: Concurrency


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    """Let others run in the group, or do not wait for it any more."""

    key: str


@dataclass(frozen=True, slots=True)
class FinishRun:
    """Everything has ended; `reason` says why, where no job's end does."""

    result: Result
    reason: str = ""


Order: TypeAlias = (
    StartJob | SkipJob | DropJob | RejectJob | CancelJob | EnterGroup | LeaveGroup | FinishRun
)
