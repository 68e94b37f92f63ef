"""A run as far as it has come: jobs, their steps, and what is worth telling at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from windlass.cli.marks import annotation_text
from windlass.cli.tails import Tail
from windlass.cli.terminal import Terminal, visible
from windlass.cli.waits import ends_wait
from windlass.model.status import Result
from windlass.protocol.events import (
    Annotation,
    JobFinished,
    JobSkipped,
    JobStarted,
    Output,
    RunStarted,
    StepFinished,
    StepSkipped,
    StepStarted,
    Summary,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.protocol.events import RunEvent

SHOWN_LEVELS = ("error", "warning", "notice")
MOST_ANNOTATIONS = 20
EXIT_CODE_MESSAGE = "Process completed with exit code"
"""The runner's own annotation of every failed script; the failure is told in full anyway."""


class StepNode:
    """One step: running while `end` is None. `depth` counts the composite steps around it."""

    def __init__(self, begun: StepStarted | StepSkipped, time: float, depth: int) -> None:
        self.begun = begun
        self.name = visible(begun.name)
        self.time = time
        self.depth = depth
        self.end: StepFinished | None = None
        self.tail = Tail(begun if isinstance(begun, StepStarted) else None)

    def finish(self, end: StepFinished) -> None:
        """Note its end; what it printed is kept only where it explains a failure."""
        self.end = end
        if not self.has_failed:
            self.tail = Tail()

    @property
    def is_running(self) -> bool:
        """Whether its end is still to come."""
        return self.end is None and isinstance(self.begun, StepStarted)

    @property
    def result(self) -> Result | None:
        """How it ended, before `continue-on-error`; None while it runs."""
        if isinstance(self.begun, StepSkipped):
            return Result.SKIPPED
        return self.end.outcome if self.end else None

    @property
    def has_failed(self) -> bool:
        """Whether it is a reason for its job to fail."""
        return self.end is not None and self.end.conclusion is Result.FAILURE


class JobNode:
    """One job, with its steps in the order in which they began."""

    def __init__(self, name: str, time: float) -> None:
        self.name = visible(name)
        self.time = time
        self.end: JobFinished | JobSkipped | None = None
        self.steps: dict[str, StepNode] = {}
        self.remarks: list[str] = []
        """Errors that are told of the job and not of one of its steps."""

    @property
    def result(self) -> Result | None:
        """How it ended; None while it runs."""
        if isinstance(self.end, JobSkipped):
            return Result.SKIPPED
        return self.end.result if self.end else None

    def place_of(self, step: StepNode) -> str:
        """Name the job, the composite steps around a step, and the step."""
        names = [step.name]
        while (parent := self.steps.get(step.begun.parent)) is not None and parent is not step:
            names.append(parent.name)
            step = parent
        return " › ".join((self.name, *reversed(names)))

    def plain_steps(self) -> Iterator[StepNode]:
        """The steps that are not composed of others."""
        parents = {step.begun.parent for step in self.steps.values()}
        return (step for key, step in self.steps.items() if key not in parents)

    def failed_steps(self) -> Iterator[StepNode]:
        """The steps that failed the job; of a composite step, the one inside that failed."""
        failed = {key: step for key, step in self.steps.items() if step.has_failed}
        parents = {step.begun.parent for step in failed.values()}
        return (step for key, step in failed.items() if key not in parents)


class RunTree:
    """Gathers the events of one run."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.started: RunStarted | None = None
        self.jobs: dict[str, JobNode] = {}
        self.annotations: list[Annotation] = []
        self.annotation_counts: Counter[str] = Counter()
        """How many there were of each level; only the first of each are kept."""
        self.summaries: list[Summary] = []
        self.waits: list[Waiting] = []
        """Who waits for a concurrency group."""

    @property
    def name(self) -> str:
        """What the workflow is called."""
        return visible(self.started.workflow) if self.started else ""

    def name_of(self, job: str) -> str:
        """What people call a job, by its key."""
        return self.jobs[job].name if job in self.jobs else visible(job)

    def add(self, event: RunEvent, time: float) -> None:
        """Take in one event; `time` is in seconds, of any clock that does not jump."""
        if self.waits:
            self.waits = [wait for wait in self.waits if not ends_wait(event, wait)]
        match event:
            case RunStarted():
                self.started = event
            case JobStarted():
                self._job(event.job, event.name, time)
            case JobFinished() | JobSkipped():
                self._job(event.job, event.name, time).end = event
            case StepStarted() | StepSkipped():
                self._begin_step(event, time)
            case Output():
                self._step(event.job, event.step, time).tail.add(event.text)
            case StepFinished():
                self._step(event.job, event.step, time, event.name).finish(event)
            case Annotation() if is_worth_repeating(event):
                self._annotate(event, time)
            case Summary():
                self.summaries.append(event)
            case Waiting():
                self.waits.append(event)

    def _job(self, key: str, name: str, time: float) -> JobNode:
        return self.jobs.setdefault(key, JobNode(name, time))

    def _begin_step(self, event: StepStarted | StepSkipped, time: float) -> None:
        steps = self._job(event.job, event.job, time).steps
        parent = steps.get(event.parent)
        steps[event.step] = StepNode(event, time, parent.depth + 1 if parent else 0)

    def _step(self, job: str, key: str, time: float, name: str = "") -> StepNode:
        """The step, also one of whose beginning nobody told."""
        steps = self._job(job, job, time).steps
        if key not in steps:
            steps[key] = StepNode(StepStarted(job=job, step=key, name=name or key), time, 0)
        return steps[key]

    def _annotate(self, event: Annotation, time: float) -> None:
        self.annotation_counts[event.level] += 1
        if self.annotation_counts[event.level] <= MOST_ANNOTATIONS:
            self.annotations.append(event)
        text = annotation_text(event, self._terminal)
        if event.step:
            self._step(event.job, event.step, time).tail.add_remark(text)
        elif event.level == "error":
            self._job(event.job, event.job, time).remarks.append(text)


def is_worth_repeating(annotation: Annotation) -> bool:
    """Tell whether an annotation says more than the end of its step does."""
    return annotation.level in SHOWN_LEVELS and not annotation.message.startswith(EXIT_CODE_MESSAGE)
