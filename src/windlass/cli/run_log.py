"""The lines a run leaves behind, one event after the other, each with its job in front."""

from __future__ import annotations

from collections import deque
from itertools import cycle
from typing import TYPE_CHECKING

from windlass.cli.escapes import clean_line, is_plain
from windlass.cli.terminal import Style, Terminal, cut_middle, visible, width_of
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
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.protocol.events import RunEvent

MARKS: dict[Result, str] = {
    Result.SUCCESS: "✓",
    Result.FAILURE: "✗",
    Result.CANCELLED: "■",
    Result.SKIPPED: "⊘",
}
WORDS: dict[Result, str] = {
    Result.SUCCESS: "succeeded",
    Result.FAILURE: "failed",
    Result.CANCELLED: "cancelled",
    Result.SKIPPED: "skipped",
}
STYLES: dict[Result, Style] = {
    Result.SUCCESS: "green",
    Result.FAILURE: "red",
    Result.CANCELLED: "yellow",
    Result.SKIPPED: "dim",
}
LEVELS: dict[str, Style] = {"error": "red", "warning": "yellow", "notice": "cyan", "debug": "dim"}
_JOB_STYLES: tuple[Style, ...] = ("cyan", "magenta", "blue", "yellow", "green")
WIDEST_JOB = 28
GROUP = "##[group]"
END_OF_GROUP = "##[endgroup]"


class RunLog:
    """Turns events into lines for people; remembers only what the jobs are called."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._labels: dict[str, str] = {}
        self._styles: dict[str, Style] = {}
        self._next_style = cycle(_JOB_STYLES)
        self._column = 0
        self._grouped: set[tuple[str, str]] = set()
        """The steps, by job and step, that are within a group."""

    def lines(self, event: RunEvent) -> Iterator[str]:
        """The lines that this event adds, without newlines."""
        paint = self._terminal.paint
        match event:
            case RunStarted():
                path = f"{event.path} " if event.path != event.workflow else ""
                where = visible(f"{path}on {event.github_event} at {event.sha[:7]}")
                yield f"{paint(visible(event.workflow), 'bold')}  {paint(where, 'dim')}"
            case JobStarted() | JobSkipped():
                self._meet(event.job, event.name)
                if isinstance(event, JobSkipped):
                    yield self._job_line(event.job, self._skipped("skipped", event.reason))
            case StepStarted():
                yield self._job_line(event.job, f"{paint('▸', 'bold')} {visible(event.name)}")
            case StepSkipped():
                yield self._job_line(event.job, self._skipped(event.name, event.reason))
            case Output():
                yield from self._output_lines(event)
            case Annotation():
                yield self._job_line(event.job, f"  {annotation_text(event, self._terminal)}")
            case StepFinished():
                yield self._job_line(event.job, step_end(event, self._terminal))
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

    def _job_line(self, job: str, text: str) -> str:
        return f"{self._lead(job)}{text}"

    def _lead(self, job: str) -> str:
        """What stands in front of each line of a job."""
        name = self._labels.get(job, job)
        padding = " " * max(self._column - width_of(name), 0)
        painted = self._terminal.paint(name, self._styles.get(job, "cyan"))
        return f"{painted}{padding} {self._terminal.paint('│', 'dim')} "

    def _output_lines(self, event: Output) -> Iterator[str]:
        """What a step printed; the lines of a group stand indented below its title.

        Steps print millions of lines: what all lines have in common is made once.
        """
        lead, step, colour = self._lead(event.job), (event.job, event.step), self._terminal.colour
        indent = "    " if step in self._grouped else "  "
        if "##[" not in event.text and is_plain(event.text):
            front = lead + indent
            yield from (
                (front + line).rstrip() for line in event.text.removesuffix("\n").split("\n")
            )
            return
        for line in event.text.removesuffix("\n").split("\n"):
            if not line.startswith((GROUP, END_OF_GROUP)):
                yield f"{lead}{indent}{clean_line(line, colour=colour)}".rstrip()
            elif line.startswith(GROUP):
                self._grouped.add(step)
                indent = "    "
                title = clean_line(line.removeprefix(GROUP), colour=False)
                yield f"{lead}  {self._terminal.paint(f'▾ {title}', 'bold')}"
            else:
                self._grouped.discard(step)
                indent = "  "

    def _skipped(self, name: str, reason: str) -> str:
        text = f"{MARKS[Result.SKIPPED]} {visible(name)}: {visible(reason)}"
        return self._terminal.paint(text, "dim")

    def _job_end(self, event: JobFinished) -> str:
        text = f"{MARKS[event.result]} {WORDS[event.result]}"
        seconds = self._terminal.paint(format_seconds(event.seconds), "dim")
        return f"{self._terminal.paint(text, 'bold', STYLES[event.result])} {seconds}"


class Tails:
    """The last lines of each running step, kept for the case that it fails."""

    LENGTH = 20

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._lines: dict[tuple[str, str], deque[str]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, event: Output) -> None:
        """Remember the newest lines of a step; where groups end is not worth a line."""
        printed = event.text.removesuffix("\n").split("\n")
        lines = [line for line in printed if not line.startswith(END_OF_GROUP)]
        newest = (line.replace(GROUP, "▾ ", 1) for line in lines[-self.LENGTH :])
        cleaned = [clean_line(line, colour=self._colour) for line in newest]
        self._keep((event.job, event.step), cleaned, len(lines))

    def add_line(self, job: str, step: str, line: str) -> None:
        """Remember one line that is told in another way, such as an error by a runner command."""
        self._keep((job, step), [line], 1)

    def _keep(self, key: tuple[str, str], lines: list[str], count: int) -> None:
        self._lines.setdefault(key, deque(maxlen=self.LENGTH)).extend(lines)
        self._counts[key] = self._counts.get(key, 0) + count

    def take(self, job: str, step: str) -> tuple[list[str], int]:
        """Forget a step; return its last lines and how many it had printed in all."""
        key = (job, step)
        return list(self._lines.pop(key, ())), self._counts.pop(key, 0)


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


def annotation_text(event: Annotation, terminal: Terminal) -> str:
    """`error: file.py:3:1: message`, with as much of the place as is known."""
    place = ":".join(
        event.properties[key] for key in ("file", "line", "col") if event.properties.get(key)
    )
    head = terminal.paint(f"{event.level}:", LEVELS.get(event.level, "cyan"))
    lines = [*event.message.splitlines()]
    if title := event.properties.get("title"):
        lines.insert(0, title)
    message = visible("; ".join(lines))
    return f"{head} {visible(place)}: {message}" if place else f"{head} {message}"


def format_seconds(seconds: float) -> str:
    """`0.4s`, `12.3s`, `2m 05s`, `1h 02m`."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    return f"{minutes // 60}h {minutes % 60:02}m"
