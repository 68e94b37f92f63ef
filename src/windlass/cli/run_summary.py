"""What stands at the end of a run: why it failed, annotations, and a line for each job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.run_log import MARKS, STYLES, WORDS, Tails, annotation_text, format_seconds
from windlass.cli.terminal import Terminal, visible, width_of
from windlass.model.status import Result
from windlass.protocol.events import (
    Annotation,
    JobFinished,
    JobSkipped,
    JobStarted,
    Output,
    RunFinished,
    StepFinished,
    StepStarted,
    Summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.protocol.events import RunEvent

MOST_ANNOTATIONS = 20
MOST_SUMMARY_LINES = 40
MOST_SCRIPT_LINES = 10
SHOWN_LEVELS = ("error", "warning", "notice")
EXIT_CODE_MESSAGE = "Process completed with exit code"
"""The runner's own annotation of every failed script; the failure is told in full anyway."""


class RunSummary:
    """Gathers what the end of one run will show."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._tails = Tails(colour=terminal.colour)
        self._names: dict[str, str] = {}
        self._begun: dict[tuple[str, str], StepStarted] = {}
        self._failures: list[tuple[StepFinished, list[str], list[str], int]] = []
        self._annotations: list[Annotation] = []
        self._written: list[Summary] = []
        self._jobs: dict[str, JobFinished | JobSkipped | None] = {}
        """How each job ended, in the order in which they started or were skipped."""

    def add(self, event: RunEvent) -> None:
        """Take in one event."""
        match event:
            case JobStarted():
                self._names[event.job] = event.name
                self._jobs[event.job] = None
            case StepStarted():
                self._begun[event.job, event.step] = event
            case Output():
                self._tails.add(event)
            case Annotation() if _is_worth_repeating(event):
                self._annotations.append(event)
                told = annotation_text(event, self._terminal)
                self._tails.add_line(event.job, event.step, told)
            case Summary():
                self._written.append(event)
            case StepFinished():
                self._end_step(event)
            case JobFinished() | JobSkipped():
                self._names[event.job] = event.name
                self._jobs[event.job] = event

    def lines(self, finished: RunFinished, workflow: str) -> Iterator[str]:
        """Lay out the end of the run."""
        for failure in self._failures:
            yield from self._failure_lines(*failure)
        yield from self._annotation_lines()
        yield from self._written_lines()
        yield from self._job_lines(finished.result)
        yield ""
        yield self._verdict(finished, workflow)

    def _end_step(self, step: StepFinished) -> None:
        begun = self._begun.pop((step.job, step.step), None)
        tail, count = self._tails.take(step.job, step.step)
        if step.conclusion is Result.FAILURE:
            deed = [] if begun is None else list(_describe_deed(begun))
            self._failures.append((step, deed, tail, count))

    def _failure_lines(
        self, step: StepFinished, deed: list[str], tail: list[str], count: int
    ) -> Iterator[str]:
        where = f"{self._names.get(step.job, step.job)} › {step.name}"
        shown = f"the last {len(tail)} of {count} lines" if count > len(tail) else "its output"
        code = f" with exit code {step.exit_code}" if step.exit_code else ""
        yield ""
        yield f"{self._terminal.paint(visible(where), 'bold', 'red')} failed{code}" + (
            f"; {shown}:" if tail else " and printed nothing"
        )
        yield from (f"  {self._terminal.paint(line, 'dim')}" for line in deed)
        bar = self._terminal.paint("│", "red")
        yield from (f"  {bar} {line}".rstrip() for line in tail)

    def _annotation_lines(self) -> Iterator[str]:
        if not self._annotations:
            return
        yield ""
        yield self._terminal.paint("Annotations", "bold")
        for annotation in self._annotations[:MOST_ANNOTATIONS]:
            job = visible(self._names.get(annotation.job, annotation.job))
            job = self._terminal.paint(f"({job})", "dim")
            yield f"  {annotation_text(annotation, self._terminal)} {job}"
        if len(self._annotations) > MOST_ANNOTATIONS:
            yield f"  and {len(self._annotations) - MOST_ANNOTATIONS} more"

    def _written_lines(self) -> Iterator[str]:
        """What steps wrote to GITHUB_STEP_SUMMARY, as it is."""
        for written in self._written:
            yield ""
            job = visible(self._names.get(written.job, written.job))
            yield self._terminal.paint(f"Summary of {job}", "bold")
            lines = written.markdown.strip("\n").split("\n")
            yield from (f"  {visible(line)}".rstrip() for line in lines[:MOST_SUMMARY_LINES])
            if len(lines) > MOST_SUMMARY_LINES:
                yield f"  and {len(lines) - MOST_SUMMARY_LINES} more lines"

    def _job_lines(self, run: Result) -> Iterator[str]:
        yield ""
        yield self._terminal.paint("Jobs", "bold")
        jobs = [job for job in self._jobs.values() if job is not None]
        width = max((width_of(visible(job.name)) for job in jobs), default=0)
        for job in jobs:
            result = job.result if isinstance(job, JobFinished) else Result.SKIPPED
            name = visible(job.name)
            padding = " " * (width - width_of(name))
            mark = self._terminal.paint(MARKS[result], STYLES[result])
            yield f"  {mark} {name}{padding}  {self._remark(job, run)}".rstrip()

    def _remark(self, job: JobFinished | JobSkipped, run: Result) -> str:
        if isinstance(job, JobSkipped):
            return self._terminal.paint(visible(job.reason), "dim")
        seconds = self._terminal.paint(f"{format_seconds(job.seconds):>6}", "dim")
        if job.result is Result.FAILURE and run is Result.SUCCESS:
            return f"{seconds}  {self._terminal.paint('may fail (continue-on-error)', 'dim')}"
        return seconds

    def _verdict(self, finished: RunFinished, workflow: str) -> str:
        mark = f"{MARKS[finished.result]} {visible(workflow)} {WORDS[finished.result]}"
        painted = self._terminal.paint(mark, "bold", STYLES[finished.result])
        return f"{painted} in {format_seconds(finished.seconds)}"


def _describe_deed(step: StepStarted) -> Iterator[str]:
    """Say where a step is written and what it ran, as far as its name does not say it already."""
    shell = f" in {visible(step.shell)}" if step.shell else ""
    if step.path:
        yield f"{visible(step.path)}:{step.line}{shell}"
    script = step.script.strip("\r\n").splitlines()
    if script and f"Run {script[0].strip()}" == step.name and len(script) == 1:
        return
    for number, line in enumerate(script[:MOST_SCRIPT_LINES]):
        yield f"{'  ' if number else '$ '}{visible(line)}".rstrip()
    if len(script) > MOST_SCRIPT_LINES:
        yield f"  and {len(script) - MOST_SCRIPT_LINES} more lines"


def _is_worth_repeating(annotation: Annotation) -> bool:
    return annotation.level in SHOWN_LEVELS and not annotation.message.startswith(EXIT_CODE_MESSAGE)
