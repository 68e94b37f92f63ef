"""What a run tells its onlookers, in order: the lines of `windlass run --json`.

Every event becomes one JSON object with `event` (the kebab-case name), `time` (seconds since the
epoch, UTC) and the fields below. Texts are masked before they come here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.model.status import Result

PROTOCOL_VERSION = 1
"""Grows when an event or a field goes away or changes its meaning; new ones leave it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRefused:
    """A workflow is not started, for errors told before; a broken one is named by its path."""

    event: ClassVar[str] = "workflow-refused"
    workflow: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """One workflow starts; `run` is the run's id, `github_event` the event that started it.

    `version` is that of this list of events; it grows when one of them or a field of them goes away
    or changes its meaning.
    """

    event: ClassVar[str] = "run-started"
    run: str
    workflow: str
    path: str
    github_event: str
    sha: str
    version: int = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """A job begins; `job` is its key within the run, `name` what people see.

    `place` is where it runs: `host`, `sandbox`, `sandbox:offline`, `docker://IMAGE`. It is empty
    where that is not known.
    """

    event: ClassVar[str] = "job-started"
    job: str
    name: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSkipped:
    """A job does not run; `reason` is a sentence that says why."""

    event: ClassVar[str] = "job-skipped"
    job: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A job, or the whole run where `job` is empty, waits for its concurrency group.

    `holder_run` is the run that is in the group, `holder_job` the job of it, empty for the run as a
    whole; both are empty where nobody can say.
    """

    event: ClassVar[str] = "waiting"
    job: str
    name: str
    group: str
    holder_run: str = ""
    holder_job: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step begins; `step` is its id within the job, `parent` the composite step it is part of.

    `path` and `line` are where it is written; a script step has its `script`, with all expressions
    evaluated, and the `shell` that was asked for. All five are empty where they are not known.
    """

    event: ClassVar[str] = "step-started"
    job: str
    step: str
    name: str
    path: str = ""
    line: int | None = None
    script: str = ""
    shell: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped:
    """A step does not run; `reason` is a sentence that says why; `parent` as in step-started."""

    event: ClassVar[str] = "step-skipped"
    job: str
    step: str
    name: str
    reason: str
    parent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Some whole lines of a step's output; `text` ends with a newline unless the step ended."""

    event: ClassVar[str] = "output"
    job: str
    step: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """An error, warning or notice, by a step's runner command or by Windlass itself."""

    event: ClassVar[str] = "annotation"
    job: str
    step: str
    level: str
    message: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """`outcome` before, `conclusion` after `continue-on-error`; `seconds` is wall time."""

    event: ClassVar[str] = "step-finished"
    job: str
    step: str
    name: str
    outcome: Result
    conclusion: Result
    exit_code: int | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a step wrote to GITHUB_STEP_SUMMARY, as Markdown."""

    event: ClassVar[str] = "summary"
    job: str
    step: str
    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished:
    """A job has ended; `seconds` is wall time, `outputs` are free of secrets.

    `environment_url` is the address it has deployed to, empty where it does not say one. `started`
    is false where it was held back or its place could not be made: `continue-on-error` does not
    forgive such a failure. `kept` is true where a rerun counts the job as it ended before. `reason`
    says why it was cancelled before it began, empty for every other end.
    """

    event: ClassVar[str] = "job-finished"
    job: str
    name: str
    result: Result
    seconds: float
    outputs: Mapping[str, str] = field(default_factory=dict)
    environment_url: str = ""
    started: bool = True
    kept: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """One workflow has ended; `seconds` is wall time."""

    event: ClassVar[str] = "run-finished"
    run: str
    result: Result
    seconds: float


RunEvent: TypeAlias = (
    WorkflowRefused
    | RunStarted
    | JobStarted
    | JobSkipped
    | Waiting
    | StepStarted
    | StepSkipped
    | Output
    | Annotation
    | StepFinished
    | Summary
    | JobFinished
    | RunFinished
)
