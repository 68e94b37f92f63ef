"""Why a job failed: the step, where it is written, what it ran, and what it printed last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.marks import WORDS
from windlass.cli.terminal import Terminal, visible
from windlass.model.status import Result
from windlass.protocol.events import StepStarted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.cli.run_tree import JobNode, StepNode

MOST_SCRIPT_LINES = 10


def explain_failure(job: JobNode, terminal: Terminal) -> Iterator[str]:
    """Lay out why a job failed; nothing for one that did not."""
    steps = list(job.failed_steps())
    for step in steps:
        yield from _explain_step(job, step, terminal)
    if not steps and job.result is Result.FAILURE:
        yield ""
        yield terminal.paint(f"{job.name} {WORDS[job.result]}", "bold", "red")
        yield from (f"  {remark}" for remark in job.remarks)


def _explain_step(job: JobNode, step: StepNode, terminal: Terminal) -> Iterator[str]:
    tail = step.tail.lines(colour=terminal.colour)
    more = step.tail.count > len(tail)
    shown = f"the last {len(tail)} of {step.tail.count} lines" if more else "its output"
    code = f" with exit code {step.end.exit_code}" if step.end and step.end.exit_code else ""
    yield ""
    yield f"{terminal.paint(job.place_of(step), 'bold', 'red')} failed{code}" + (
        f"; {shown}:" if tail else " and printed nothing"
    )
    if isinstance(step.begun, StepStarted):
        deed = _describe_deed(step.begun)
        yield from (f"  {terminal.paint(line, 'dim')}" for line in deed)
    bar = terminal.paint("│", "red")
    yield from (f"  {bar} {line}".rstrip() for line in tail)


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
