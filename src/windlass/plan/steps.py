"""Between the job machine (`windlass.plan.job`) and whoever runs its steps: signals and orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.action.model import Action
    from windlass.lang.expressions import Value
    from windlass.lang.workflow.model import Step
    from windlass.model.status import Result
    from windlass.plan.container_actions import ContainerRun
    from windlass.plan.decision import Decision


Stage: TypeAlias = Literal["pre", "main", "post"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedAction:
    """An action that was read: its file, and where its folder is as the job's processes see it.

    `repository` (`owner/name`) and `ref` are empty for an action of the workspace (`./path`).
    """

    action: Action
    folder: str
    repository: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class JobOpened:
    """The place of the job is ready; `runner` and `job` are those contexts as it knows them.

    `github` holds what only the place knows of the github context: workspace, event_path, job.
    `actions` are those that were there before any step ran, by what `uses` says, the nested ones
    too: all but `./path`. They alone have a pre stage, as on GitHub. `variables` count as what an
    `env` around that of the workflow would.
    """

    runner: Mapping[str, Value]
    job: Mapping[str, Value] = field(default_factory=dict)
    github: Mapping[str, Value] = field(default_factory=dict)
    actions: Mapping[str, LoadedAction] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionLoaded:
    """The answer to `LoadAction`: the action, or the sentence that says why there is none.

    `parts` are the actions that its steps use, as `JobOpened.actions` has those of the job's.
    """

    key: str
    action: LoadedAction | None
    problem: str = ""
    parts: Mapping[str, LoadedAction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step that was ordered to start has ended.

    `outputs`, `variables` (GITHUB_ENV), `paths` (GITHUB_PATH, in file order) and `state`
    (GITHUB_STATE) are what it set through command files and runner commands.
    """

    key: str
    outcome: Result
    outputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    state: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time that `StartTimer` asked for has passed."""

    timer: str


@dataclass(frozen=True, slots=True)
class JobCancelRequested:
    """The job is to end: running steps whose condition is now false are cancelled.

    `at_once`: all running steps are killed and no other is started; it may follow a polite request.
    """

    reason: str
    at_once: bool = False


JobSignal: TypeAlias = JobOpened | ActionLoaded | StepFinished | TimerFired | JobCancelRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class StartStep:
    """Run one step; everything that could be evaluated is.

    `key` is unique in the job. A run step has `script`, a step of an action that is not built in
    has `action`, `stage`, `inputs` (with the defaults of the action), `state` and, where it runs in
    a container, `container`; `uses` and `inputs` alone stand for a built-in action. `parent` is the
    key of the composite step it is part of. A background step, or one that is part of it, runs
    beside the steps that follow: it may be started while another step runs.
    `variables` is the whole of the step's `env` context (workflow, job, GITHUB_ENV, step), `paths`
    what earlier steps added to PATH, first entry first in PATH. `working_directory` may be relative
    to the workspace. `timeout_minutes` is whole, as the runner truncates it, and None where there
    is no limit. `contexts` is all but `secrets`. `problems` are keys that could not be
    evaluated although the step runs, as on GitHub: its name, its time-out. `warnings` are about
    the inputs of an action.
    """

    key: str
    name: str
    step: Step
    script: str | None = None
    shell: str | None = None
    working_directory: str | None = None
    uses: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    timeout_minutes: int | None = None
    contexts: Mapping[str, Value] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    action: LoadedAction | None = None
    container: ContainerRun | None = None
    stage: Stage = "main"
    state: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    background: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadAction:
    """Read the action of a step from the workspace; `ActionLoaded` is the answer.

    `uses` is `./path`, or `$/path` where it was not among the actions of `JobOpened`.
    """

    key: str
    uses: str
    background: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStep:
    """A step without a process has begun: a composite action, a wait, a cancellation.

    For the log of a composite action: `inputs` as its steps see them, and in `variables` the whole
    of its `env` context.
    """

    key: str
    name: str
    step: Step
    parent: str = ""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    uses: str = ""
    stage: Stage = "main"
    inputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteLine:
    """Write a line to the log of a step that was opened."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class SkipStep:
    """The step does not run; the decision says why."""

    key: str
    name: str
    decision: Decision
    parent: str = ""


@dataclass(frozen=True, slots=True)
class RejectStep:
    """The step fails before it starts: a key of it could not be evaluated."""

    key: str
    name: str
    message: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class ConcludeStep:
    """A step that started or was rejected is over: its outcome, and that after continue-on-error.

    `problem` says why `continue-on-error` could not be evaluated; the step then counts as failed.
    """

    key: str
    outcome: Result
    conclusion: Result
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class CancelStep:
    """End a running step; `timed_out` where its own time is over and not the job's."""

    key: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class KillSteps:
    """End every running step at once, without asking it to; no other will be started."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Send `TimerFired` once, so many seconds from now.

    Timers are `job`, `cancel`, `step:KEY` and `grace:KEY`; that of a step comes before its
    StartStep and is stopped when it has ended. `FinishJob` stops all others.
    """

    timer: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Forget a timer; harmless where it has fired."""

    timer: str


@dataclass(frozen=True, slots=True)
class Annotate:
    """Tell of an error, a warning or a notice about a step, or about the job where `key` is ""."""

    key: str
    level: Literal["error", "warning", "notice"]
    message: str


@dataclass(frozen=True, slots=True)
class FinishJob:
    """All steps are over.

    `problems` are messages about keys of the job that could not be evaluated: `env` and `defaults`
    (no step has run then), `outputs` (there are none then) and the URL of its environment. The job
    has failed. `environment_url` is where it has deployed to, empty where it does not say.
    """

    result: Result
    outputs: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    environment_url: str = ""


JobOrder: TypeAlias = (
    StartStep
    | LoadAction
    | OpenStep
    | WriteLine
    | SkipStep
    | RejectStep
    | ConcludeStep
    | CancelStep
    | KillSteps
    | StartTimer
    | StopTimer
    | Annotate
    | FinishJob
)
