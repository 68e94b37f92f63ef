"""What stands at the end of a run: why it failed, annotations, what steps wrote, and the times."""

from __future__ import annotations

import shlex
from itertools import chain, islice
from typing import TYPE_CHECKING

from windlass.cli.failed_steps import explain_failure
from windlass.cli.marks import KEPT, MARKS, STYLES, WORDS, annotation_text, count, format_seconds
from windlass.cli.summaries import lay_out_markdown
from windlass.cli.terminal import Terminal, cut, visible, width_of
from windlass.model.status import Result
from windlass.protocol.events import JobSkipped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from windlass.cli.run_tree import JobNode, RunTree, StepNode
    from windlass.protocol.events import RunFinished

MOST_FAILURES = 5
MOST_SUMMARY_LINES = 40
MOST_SLOW_STEPS = 5
SLOW_SECONDS = 1.0
"""A step below that is never worth a line of its own."""


class RunSummary:
    """Lays out the end of one run; `place` are the options that say where it is kept."""

    def __init__(self, tree: RunTree, terminal: Terminal, place: str = "") -> None:
        self._place = f" {place}" if place else ""
        self._tree = tree
        self._terminal = terminal
        self._jobs = [job for job in tree.jobs.values() if job.end is not None]

    def lines(self, finished: RunFinished) -> Iterator[str]:
        """All lines, without newlines."""
        yield from self.account(finished)
        yield from self.end(finished)

    def account(self, finished: RunFinished) -> Iterator[str]:
        """Annotations, what steps wrote, and a line for each job."""
        yield from self._annotation_lines()
        yield from self._written_lines(finished.run)
        yield from self._job_lines(finished.result)

    def end(self, finished: RunFinished, explained: Collection[str] = ()) -> Iterator[str]:
        """Why it failed, and the verdict; `explained` are jobs whose failure is in sight anyway."""
        failed = [job for key, job in self._tree.jobs.items() if key not in explained]
        explanations = [lines for job in failed if (lines := list(self._explain(job)))]
        yield from chain.from_iterable(explanations[:MOST_FAILURES])
        if len(explanations) > MOST_FAILURES:
            yield ""
            yield f"and {count(len(explanations) - MOST_FAILURES, 'more job')} failed"
        yield ""
        yield self._verdict(finished)
        if finished.result is Result.FAILURE:
            yield from self._next_lines(finished.run)

    def _next_lines(self, run: str) -> Iterator[str]:
        """What to type next."""
        failed = (key for key, job in self._tree.jobs.items() if any(job.failed_steps()))
        commands = {f"windlass rerun{self._place} {run} --failed": "what failed, again"}
        if (job := next(failed, None)) is not None:
            logs = f"windlass logs{self._place} {run} --job {shlex.quote(job)}"
            commands = {logs: "all it printed", **commands}
        width = max(map(width_of, commands))
        for command, meaning in commands.items():
            padding = " " * (width - width_of(command))
            yield f"  {visible(command)}{padding}  {self._terminal.paint(f'# {meaning}', 'dim')}"

    def _explain(self, job: JobNode) -> Iterator[str]:
        return explain_failure(job, self._terminal)

    def _annotation_lines(self) -> Iterator[str]:
        annotations = self._tree.annotations
        if not annotations:
            return
        yield ""
        yield self._terminal.paint("Annotations", "bold")
        for annotation in annotations:
            job = self._terminal.paint(f"({self._tree.name_of(annotation.job)})", "dim")
            yield f"  {annotation_text(annotation, self._terminal)} {job}"
        if more := self._tree.annotation_counts.total() - len(annotations):
            yield f"  and {more} more"

    def _written_lines(self, run: str) -> Iterator[str]:
        """What steps wrote to GITHUB_STEP_SUMMARY: laid out for a screen, else as it is."""
        for written in self._tree.summaries:
            yield ""
            yield self._terminal.paint(f"Summary of {self._tree.name_of(written.job)}", "bold")
            laid_out = lay_out_markdown(written.markdown, self._terminal, indent=2)
            shown = list(islice(laid_out, MOST_SUMMARY_LINES + 1))
            yield from (f"  {line}".rstrip() for line in shown[:MOST_SUMMARY_LINES])
            if len(shown) > MOST_SUMMARY_LINES:
                whole = visible(f"windlass show{self._place} {run} --summary")
                yield f"  … {self._terminal.paint('the whole of it:', 'dim')} {whole}"

    def _job_lines(self, run: Result) -> Iterator[str]:
        """A line for each job; on a terminal its steps too, where that fits on one screen."""
        if not self._jobs:
            return
        steps = sum(len(job.steps) for job in self._jobs)
        with_steps = self._terminal.is_live and (
            len(self._jobs) + steps + 4 <= self._terminal.size[1]
        )
        yield ""
        yield self._terminal.paint("Jobs", "bold")
        width = max(width_of(job.name) for job in self._jobs)
        for job in self._jobs:
            result = job.result or Result.SUCCESS
            padding = " " * (width - width_of(job.name))
            mark = self._terminal.paint(MARKS[result], STYLES[result])
            yield f"  {mark} {job.name}{padding}  {self._remark(job, run)}".rstrip()
            if with_steps:
                yield from map(self._step_line, job.steps.values())
        if not with_steps:
            yield from self._slow_step_lines(steps)

    def _remark(self, job: JobNode, run: Result) -> str:
        assert job.end is not None  # noqa: S101  # others are not listed
        if isinstance(job.end, JobSkipped) or job.end.reason:
            return self._terminal.paint(visible(job.end.reason), "dim")
        if job.end.kept:
            return self._terminal.paint(KEPT, "dim")
        seconds = self._terminal.paint(f"{format_seconds(job.end.seconds):>6}", "dim")
        if job.result is Result.FAILURE and run is Result.SUCCESS:
            return f"{seconds}  {self._terminal.paint('may fail (continue-on-error)', 'dim')}"
        if job.end.environment_url:
            return f"{seconds}  {self._terminal.paint(visible(job.end.environment_url), 'cyan')}"
        return seconds

    def _step_line(self, step: StepNode) -> str:
        result = step.result or Result.CANCELLED
        indent = "  " * (step.depth + 2)
        mark = self._terminal.paint(MARKS[result], STYLES[result])
        seconds = format_seconds(step.end.seconds) if step.end else ""
        name = cut(step.name, max(self._terminal.width - len(indent) - len(seconds) - 4, 8))
        return f"{indent}{mark} {name} {self._terminal.paint(seconds, 'dim')}".rstrip()

    def _slow_step_lines(self, steps: int) -> Iterator[str]:
        """The steps that took longest, where there are so many that nobody reads them all."""
        timed = [
            (step.end.seconds, job.place_of(step))
            for job in self._jobs
            for step in job.plain_steps()
            if step.end is not None and step.end.seconds >= SLOW_SECONDS
        ]
        if not timed or steps <= MOST_SLOW_STEPS:
            return
        yield ""
        yield self._terminal.paint("Slowest steps", "bold")
        for seconds, name in sorted(timed, reverse=True)[:MOST_SLOW_STEPS]:
            yield f"  {self._terminal.paint(f'{format_seconds(seconds):>7}', 'dim')}  {name}"

    def _verdict(self, finished: RunFinished) -> str:
        mark = f"{MARKS[finished.result]} {self._tree.name} {WORDS[finished.result]}"
        painted = self._terminal.paint(mark, "bold", STYLES[finished.result])
        return f"{painted} in {format_seconds(finished.seconds)}"
