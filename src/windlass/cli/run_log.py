"""The lines a run leaves behind, one event after the other, each with its job in front."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from windlass.cli.marks import KEPT, MARKS, STYLES, WORDS, annotation_text, format_seconds
from windlass.cli.step_output import StepOutput
from windlass.cli.terminal import Style, Terminal, cut_middle, visible, width_of
from windlass.cli.waits import MARK as WAITING
from windlass.cli.waits import describe_wait
from windlass.model.status import Result
from windlass.plan.places import HOST
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
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.protocol.events import RunEvent

_JOB_STYLES: tuple[Style, ...] = ("cyan", "magenta", "blue", "yellow", "green")
WIDEST_JOB = 28


class RunLog:
    """Turns events into lines for people; remembers only what the jobs are called."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._run = ""
        self._labels: dict[str, str] = {}
        self._styles: dict[str, Style] = {}
        self._next_style = cycle(_JOB_STYLES)
        self._column = 0
        self._outputs: dict[tuple[str, str], StepOutput] = {}
        """What lays out the output of each running step, by job and step."""
        self._indents: dict[tuple[str, str], str] = {}
        """What stands before the lines of each running step that is part of another."""

    def lines(self, event: RunEvent) -> Iterator[str]:
        """The lines that this event adds, one or several at a time, without the last newline."""
        match event:
            case RunStarted():
                self._run = event.run
                yield headline(event, self._terminal)
            case Waiting():
                yield self._wait_line(event)
            case JobStarted() | JobSkipped():
                self._meet(event.job, event.name)
                if isinstance(event, JobSkipped):
                    yield self._job_line(event.job, self._skipped("skipped", event.reason))
                elif event.place not in ("", HOST):
                    remark = self._terminal.paint(f"runs in {visible(event.place)}", "dim")
                    yield self._job_line(event.job, remark)
            case StepStarted():
                self._begin_step(event)
                mark = self._terminal.paint("▸", "bold")
                yield self._step_line(event, f"{mark} {visible(event.name)}")
            case StepSkipped():
                indent = self._indent_below(event)
                yield self._job_line(event.job, indent + self._skipped(event.name, event.reason))
            case Output():
                yield from self._output_lines(event)
            case Annotation():
                yield self._step_line(event, f"  {annotation_text(event, self._terminal)}")
            case StepFinished():
                yield self._step_line(event, step_end(event, self._terminal))
                self._outputs.pop((event.job, event.step), None)
                self._indents.pop((event.job, event.step), None)
            case JobFinished():
                self._meet(event.job, event.name)
                yield self._job_line(event.job, self._job_end(event))

    def _meet(self, job: str, name: str) -> None:
        """Choose what stands in front of a job's lines: its name, short, and no other job's."""
        if job in self._labels:
            return
        widest = (
            min(WIDEST_JOB, self._terminal.width // 3) if self._terminal.is_live else WIDEST_JOB
        )
        label, number = cut_middle(visible(name), widest), 2
        while label in self._labels.values():
            mark = f" #{number}"
            label, number = cut_middle(visible(name), widest - len(mark)) + mark, number + 1
        self._labels[job] = label
        self._styles[job] = next(self._next_style)
        self._column = max(self._column, width_of(label))

    def _begin_step(self, event: StepStarted) -> None:
        self._outputs[event.job, event.step] = StepOutput(self._terminal, event)
        if event.parent:
            self._indents[event.job, event.step] = self._indent_below(event)

    def _wait_line(self, event: Waiting) -> str:
        text = self._terminal.paint(f"{WAITING} {describe_wait(event, self._run)}", "dim")
        if not event.job:
            return text
        self._meet(event.job, event.name)
        return self._job_line(event.job, text)

    def _indent_below(self, event: StepStarted | StepSkipped) -> str:
        """What stands before the lines of a step: those of a composite step are further in."""
        if not event.parent:
            return ""
        return self._indents.get((event.job, event.parent), "") + "  "

    def _step_line(self, event: StepStarted | StepFinished | Annotation, text: str) -> str:
        return self._job_line(event.job, self._indents.get((event.job, event.step), "") + text)

    def _job_line(self, job: str, text: str) -> str:
        return f"{self._lead(job)}{text}"

    def _lead(self, job: str) -> str:
        """What stands in front of each line of a job."""
        name = self._labels.get(job, job)
        padding = " " * max(self._column - width_of(name), 0)
        painted = self._terminal.paint(name, self._styles.get(job, "cyan"))
        return f"{painted}{padding} {self._terminal.paint('│', 'dim')} "

    def _output_lines(self, event: Output) -> Iterator[str]:
        key = (event.job, event.step)
        if key not in self._outputs:
            self._outputs[key] = StepOutput(self._terminal)
        lead = f"{self._lead(event.job)}{self._indents.get(key, '')}  "
        return self._outputs[key].lines(event.text.removesuffix("\n"), lead)

    def _skipped(self, name: str, reason: str) -> str:
        text = f"{MARKS[Result.SKIPPED]} {visible(name)}: {visible(reason)}"
        return self._terminal.paint(text, "dim")

    def _job_end(self, event: JobFinished) -> str:
        text = f"{MARKS[event.result]} {WORDS[event.result]}"
        remark = KEPT if event.kept else format_seconds(event.seconds)
        if event.reason:
            text, remark = f"{text}:", visible(event.reason)
        text = self._terminal.paint(text, "bold", STYLES[event.result])
        return f"{text} {self._terminal.paint(remark, 'dim')}"


def headline(event: RunStarted, terminal: Terminal) -> str:
    """The first line of a run: what runs, why, on which commit, and what other commands call it."""
    path = f"{event.path} " if event.path != event.workflow else ""
    where = visible(f"{path}on {event.github_event} at {event.sha[:7]}  run {event.run}")
    name = terminal.paint(visible(event.workflow), "bold")
    return f"{name}  {terminal.paint(where, 'dim')}"


def step_end(event: StepFinished, terminal: Terminal) -> str:
    """One line for the end of a step: mark, name, what was wrong, seconds."""
    mark = terminal.paint(MARKS[event.outcome], "bold", STYLES[event.outcome])
    remarks = []
    if event.exit_code:
        remarks.append(f"exit code {event.exit_code}")
    if event.outcome is not event.conclusion:
        remarks.append("continue-on-error")
    remark = terminal.paint(f" ({', '.join(remarks)})", STYLES[event.outcome]) if remarks else ""
    seconds = terminal.paint(format_seconds(event.seconds), "dim")
    return f"{mark} {visible(event.name)}{remark} {seconds}"
