"""Show one run: its jobs and steps, how each ended, and what was annotated.

A run that was interrupted (by a crash, or `kill -9`) is shown as such, with what had ended by then.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from windlass.cli.directory import add_directory_option, enter_directory
from windlass.cli.failures import say_warning
from windlass.cli.history_options import add_run_argument, find_state
from windlass.cli.marks import KEPT, annotation_text, format_seconds
from windlass.cli.run_states import describe_state, paint_status
from windlass.cli.runs import SHORT_SHA, describe_attempt
from windlass.cli.servers import add_server_option, find_server
from windlass.cli.summaries import lay_out_markdown
from windlass.cli.terminal import open_terminal, visible
from windlass.errors import InputError
from windlass.model.values import fields
from windlass.operations.history import open_history
from windlass.operations.run_views import show_attempt
from windlass.operations.summaries import summarise_attempt

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from windlass.cli.parser import Parser
    from windlass.cli.terminal import Terminal
    from windlass.db.runs import AttemptRow
    from windlass.operations.history import Attempt
    from windlass.operations.run_views import JobView, RunView, Status, StepView


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass show`."""
    add_run_argument(parser)
    add_directory_option(parser)
    parser.add_argument(
        "--attempt", type=int, metavar="N", help="the n-th attempt; default: the last one"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--summary", action="store_true", help="print what its steps wrote to GITHUB_STEP_SUMMARY"
    )
    form.add_argument("--json", action="store_true", help="print the run as JSON")
    add_server_option(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print the run."""
    enter_directory(arguments)
    server = find_server(arguments)
    if server is not None:
        from windlass.cli.hosted.show import find_shown

        shown = find_shown(server, arguments)
    else:
        shown = _find_shown(arguments)
    terminal = open_terminal(sys.stdout)
    if arguments.summary:
        _print_summary(shown.summary(), terminal)
    elif arguments.json:
        terminal.write(json.dumps(_describe(shown), indent=2) + "\n")
    else:
        terminal.write("".join(f"{line}\n" for line in _lay_out(shown, terminal)))
    return 0


class Shown(NamedTuple):
    """An attempt that is shown: what is known of it, its jobs, and how to get its summary."""

    row: AttemptRow
    state: Status
    view: RunView
    summary: Callable[[], str]


def _find_shown(arguments: argparse.Namespace) -> Shown:
    with open_history(find_state(), say_warning) as history:
        attempts = history.attempts(history.find(arguments.run).row.run.id)
    attempt = choose_attempt(attempts, arguments.attempt)
    return Shown(
        attempt.row,
        describe_state(attempt),
        show_attempt(attempt),
        lambda: summarise_attempt(attempt),
    )


def _print_summary(markdown: str, terminal: Terminal) -> None:
    """Print the summaries of all jobs: laid out for a screen, else as Markdown."""
    if not markdown:
        open_terminal(sys.stderr).write("no step has written a summary\n")
        return
    lines = lay_out_markdown(markdown, terminal)
    terminal.write("".join(f"{line}\n" for line in lines))


def choose_attempt(attempts: list[Attempt], number: int | None) -> Attempt:
    """Return one attempt of a run: the last one unless a number says which.

    Raises InputError where there is none of that number.
    """
    for attempt in attempts:
        if attempt.row.attempt == (attempts[-1].row.attempt if number is None else number):
            return attempt
    known = ", ".join(str(attempt.row.attempt) for attempt in attempts)
    raise InputError(f"the run has no attempt {number}", hint=f"it has {known}")


def _describe(shown: Shown) -> dict[str, Any]:
    return {
        **describe_attempt(shown.row, shown.state),
        "jobs": [_describe_job(job) for job in shown.view.jobs.values()],
    }


def _describe_job(job: JobView) -> dict[str, Any]:
    return {
        "job": job.key,
        "name": job.name,
        "state": job.status,
        "seconds": job.seconds,
        "reason": job.reason,
        "kept": job.kept,
        "outputs": dict(job.outputs),
        "steps": [_describe_step(step) for step in job.steps.values()],
        "annotations": [
            {
                "step": it.step,
                "level": it.level,
                "message": it.message,
                "properties": dict(it.properties),
            }
            for it in job.annotations
        ],
        "summary": job.summary,
    }


def _describe_step(step: StepView) -> dict[str, Any]:
    values = {field.name: getattr(step, field.name) for field in fields(step)}
    return {"step": values.pop("id"), "state": values.pop("status"), **values}


def _lay_out(shown: Shown, terminal: Terminal) -> Iterator[str]:
    row, state = shown.row, shown.state
    paint = terminal.paint
    yield f"{paint_status(state, terminal)} {paint(visible(row.run.workflow), 'bold')}  {state}"
    again = f", attempt {row.attempt}" if row.attempt > 1 else ""
    about = f"run {row.run.id} (number {row.run.number}{again})"
    where = f"{row.run.path} on {row.run.event} at {row.run.sha[:SHORT_SHA]}"
    yield paint(visible(f"{about}  {where}"), "dim")
    for job in shown.view.jobs.values():
        yield from _lay_out_job(job, terminal)
    if state == "interrupted":
        yield ""
        yield f"`windlass resume {row.run.id}` goes on where it stopped"


def _lay_out_job(job: JobView, terminal: Terminal) -> Iterator[str]:
    yield ""
    remark = KEPT if job.kept else job.reason or _ending(job.status, job.seconds)
    head = f"{paint_status(job.status, terminal)} {terminal.paint(visible(job.name), 'bold')}"
    yield f"{head}  {terminal.paint(visible(remark), 'dim')}".rstrip()
    for step in job.steps.values():
        indent = "      " if step.parent else "    "
        remark = _remark(step)
        name = f"{paint_status(step.status, terminal)} {visible(step.name)}"
        yield f"{indent}{name}  {terminal.paint(visible(remark), 'dim')}".rstrip()
    for annotation in job.annotations:
        yield f"    {annotation_text(annotation, terminal)}"


def _remark(step: StepView) -> str:
    if step.reason:
        return step.reason
    code = f"exit code {step.exit_code}  " if step.exit_code else ""
    forgiven = step.conclusion is not None and step.conclusion != step.status
    return f"{code}{'continue-on-error  ' if forgiven else ''}{_ending(step.status, step.seconds)}"


def _ending(status: Status, seconds: float | None) -> str:
    """How long it took, or that it has no end."""
    return str(status) if seconds is None else format_seconds(seconds)
