"""Lays out a running run as a tree of jobs and steps that fits on the screen.

What does not fit is folded, the least telling first: what steps print, the steps that have ended,
the jobs that have ended, the steps of running jobs. A row is never wider than the screen.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from windlass.cli.marks import MARKS, STYLES, WORDS, count, format_seconds
from windlass.cli.terminal import Style, Terminal, cut, visible, width_of
from windlass.cli.waits import MARK as WAITING
from windlass.cli.waits import describe_wait
from windlass.model.status import Result
from windlass.model.values import dataclass
from windlass.protocol.events import JobFinished

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.cli.run_tree import JobNode, RunTree, StepNode

FRAMES: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAME_SECONDS: Final = 0.1
NARROWEST: Final = 8
"""Columns that a name is given at least."""


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is shown: lines of output for each running step, and what is not folded."""

    lines: int
    steps: bool
    """The steps of running jobs."""
    ended_steps: bool
    ended_jobs: bool


DETAILS: Final = (
    Detail(10, steps=True, ended_steps=True, ended_jobs=True),
    Detail(3, steps=True, ended_steps=True, ended_jobs=True),
    Detail(3, steps=True, ended_steps=False, ended_jobs=True),
    Detail(1, steps=True, ended_steps=False, ended_jobs=True),
    Detail(1, steps=True, ended_steps=False, ended_jobs=False),
    Detail(0, steps=True, ended_steps=False, ended_jobs=False),
    Detail(0, steps=False, ended_steps=False, ended_jobs=False),
)


class TreeRows:
    """Lays out one moment of a run; `now` is a time of the clock that the tree was told by."""

    def __init__(self, tree: RunTree, terminal: Terminal, now: float) -> None:
        self._tree = tree
        self._terminal = terminal
        self._now = now
        self._frame = FRAMES[int(now / FRAME_SECONDS) % len(FRAMES)]

    def lay_out(self, columns: int, lines: int) -> Sequence[str]:
        """Return at most so many rows of at most so many columns."""
        for detail in DETAILS:
            rows = list(islice(self._rows(detail, columns), lines + 1))
            if len(rows) <= lines:
                return rows
        return self._cut(rows, columns, lines)

    def _cut(self, rows: list[str], columns: int, lines: int) -> Sequence[str]:
        """Show the first jobs of those that run, and count the others."""
        if lines <= 1:
            return rows[:lines]
        running = sum(job.end is None for job in self._tree.jobs.values())
        more = f"  and {count(running - lines + 1, 'more job')}"
        return [*rows[: lines - 1], cut(more, columns)]

    def _rows(self, detail: Detail, columns: int) -> Iterator[str]:
        return chain(self._begun_rows(detail, columns), self._wait_rows(detail, columns))

    def _wait_rows(self, detail: Detail, columns: int) -> Iterator[str]:
        """Who waits for a concurrency group: a row each, or their number."""
        waits = self._tree.waits
        run = self._tree.started.run if self._tree.started else ""
        if detail.ended_jobs:
            told = [
                f"{visible(it.name) if it.job else self._tree.name}: {describe_wait(it, run)}"
                for it in waits
            ]
        else:
            told = [f"{len(waits)} waiting for concurrency groups"] if waits else []
        for text in told:
            yield self._terminal.paint(cut(f"{WAITING} {text}", columns), "dim")

    def _begun_rows(self, detail: Detail, columns: int) -> Iterator[str]:
        jobs = self._tree.jobs.values()
        if not detail.ended_jobs:
            jobs_first = (job for job in jobs if job.end is None)
            rows = (self._job_rows(job, detail, columns) for job in jobs_first)
            return chain(chain.from_iterable(rows), self._ended_row(columns))
        return chain.from_iterable(self._job_rows(job, detail, columns) for job in jobs)

    def _ended_row(self, columns: int) -> Iterator[str]:
        """Count the jobs that have ended, in one row."""
        results = Counter(job.result for job in self._tree.jobs.values() if job.result)
        told = [f"{MARKS[it]} {results[it]} {WORDS[it]}" for it in Result if results[it]]
        if told:
            yield self._terminal.paint(cut("  ".join(told), columns), "dim")

    def _job_rows(self, job: JobNode, detail: Detail, columns: int) -> Iterator[str]:
        if job.end is not None:
            yield self._ended_job(job, columns)
            return
        running = [step for step in job.steps.values() if step.is_running]
        name = job.name
        if not detail.steps and running:
            name = f"{name} › {running[-1].name}"
        yield self._row(0, self._frame, "cyan", name, self._now - job.time, columns)
        if detail.steps:
            yield from self._step_rows(job, detail, columns)

    def _ended_job(self, job: JobNode, columns: int) -> str:
        result = job.result or Result.SUCCESS
        if job.end is not None and job.end.reason:
            text = f"{MARKS[result]} {job.name}: {visible(job.end.reason)}"
            return self._terminal.paint(cut(text, columns), STYLES[result])
        seconds = job.end.seconds if isinstance(job.end, JobFinished) else 0.0
        return self._row(0, MARKS[result], STYLES[result], job.name, seconds, columns)

    def _step_rows(self, job: JobNode, detail: Detail, columns: int) -> Iterator[str]:
        """The steps of a running job; those within a composite step that has ended are folded."""
        steps = [step for step in job.steps.values() if not self._is_within_ended(job, step)]
        ended = sum(not step.is_running for step in steps)
        if ended and not detail.ended_steps:
            yield self._terminal.paint(cut(f"  {count(ended, 'step')} ended", columns), "dim")
        for step in steps:
            if step.is_running:
                yield from self._running_step(step, detail, columns)
            elif detail.ended_steps:
                yield self._ended_step(step, columns)

    def _is_within_ended(self, job: JobNode, step: StepNode) -> bool:
        parent = job.steps.get(step.begun.parent)
        return parent is not None and not parent.is_running

    def _running_step(self, step: StepNode, detail: Detail, columns: int) -> Iterator[str]:
        seconds = self._now - step.time
        yield self._row(step.depth + 1, self._frame, "cyan", step.name, seconds, columns)
        indent = "  " * (step.depth + 2)
        for line in step.tail.folded_lines(detail.lines):
            yield self._terminal.paint(cut(f"{indent}│ {line}", columns), "dim")

    def _ended_step(self, step: StepNode, columns: int) -> str:
        result = step.result or Result.SUCCESS
        if step.end is None:
            text = cut(f"{'  ' * (step.depth + 1)}{MARKS[result]} {step.name}", columns)
            return self._terminal.paint(text, STYLES[result])
        style = STYLES[result]
        return self._row(step.depth + 1, MARKS[result], style, step.name, step.end.seconds, columns)

    def _row(
        self, depth: int, mark: str, style: Style, name: str, seconds: float, columns: int
    ) -> str:
        time = format_seconds(seconds)
        indent = "  " * min(depth, max(columns - NARROWEST, 0) // 4)
        room = columns - len(indent) - width_of(mark) - len(time) - 2
        if room < NARROWEST:
            return cut(f"{indent}{mark} {name}", columns)
        painted = self._terminal.paint(mark, style)
        return f"{indent}{painted} {cut(name, room)} {self._terminal.paint(time, 'dim')}"
