"""Between the job machine (`windlass.plan.job`) and whoever runs its steps: signals and orders."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.expressions import Value
    from windlass.lang.workflow.model import Step
    from windlass.model.status import Result
    from windlass.plan.decision import Decision


@dataclass(frozen=True, slots=True)
class JobOpened:
    """The place of the job is ready; `runner` and `job` are those contexts as it knows them.

    `github` holds what only the place knows of the github context: workspace, event_path, job.
    """

    runner: Mapping[str, Value]
    job: Mapping[str, Value] = field(default_factory=dict)
    github: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step that was ordered to start has ended.

    `outputs`, `variables` (GITHUB_ENV) and `paths` (GITHUB_PATH, in file order) are what it set
    through command files and runner commands.
    """

    key: str
    outcome: Result
    outputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobCancelRequested:
    """The job is to end: running steps whose condition is now false are cancelled."""

    reason: str


JobSignal: TypeAlias = JobOpened | StepFinished | JobCancelRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class StartStep:
    """Run one step; everything that could be evaluated is.

    `key` is unique in the job. A run step has `script`, an action step `uses` and `inputs`.
    `variables` is the whole of the step's `env` context (workflow, job, GITHUB_ENV, step), `paths`
    what earlier steps added to PATH, first entry first in PATH. `working_directory` may be relative
    to the workspace. `timeout_minutes` is whole, as the runner truncates it, and None where there
    is no limit. `contexts` is all but `secrets`. `problems` are keys that could not be
    evaluated although the step runs, as on GitHub: its name, its time-out.
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


@dataclass(frozen=True, slots=True)
class SkipStep:
    """The step does not run; the decision says why."""

    key: str
    name: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class RejectStep:
    """The step fails before it starts: a key of it could not be evaluated."""

    key: str
    name: str
    message: str


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
    """End a running step."""

    key: str


@dataclass(frozen=True, slots=True)
class FinishJob:
    """All steps are over.

    `problems` are messages about keys of the job that could not be evaluated: `env` and `defaults`
    (no step has run then) and `outputs` (there are none then). The job has failed.
    """

    result: Result
    outputs: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


JobOrder: TypeAlias = StartStep | SkipStep | RejectStep | ConcludeStep | CancelStep | FinishJob
