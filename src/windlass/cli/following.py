"""Showing a run while it goes on, as JSON, as a tree or as lines, and telling how it ended."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from windlass.cli.failures import say_error, say_warning
from windlass.cli.interrupting import cancelled_by_signals, write_directly
from windlass.cli.marks import MARKS, STYLES
from windlass.cli.terminal import Terminal, open_terminal, visible
from windlass.lang.diagnostics import Severity
from windlass.model.status import Result
from windlass.operations.runs import Interruption
from windlass.plan.places import HOST
from windlass.protocol.events import JobStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from windlass.cli.live import LiveView
    from windlass.cli.log_view import LogView
    from windlass.cli.parser import Parser
    from windlass.lang.diagnostics import Diagnostic
    from windlass.operations.runs import RunReport
    from windlass.protocol.events import RunEvent

    Emit: TypeAlias = "Callable[[RunEvent], None]"
    Tell: TypeAlias = "Callable[[Path, Sequence[Diagnostic]], None]"
    Start: TypeAlias = "Callable[[Emit, Interruption, Tell], RunReport]"


def add_json_option(parser: Parser) -> None:
    """Declare `--json`."""
    parser.add_argument("--json", action="store_true", help="print each event as a line of JSON")


def follow(start: Start, *, as_json: bool, directory: Path | None) -> int:
    """Start something that runs, show what happens, and return the exit code.

    `start` gets what its events go to, what says that it is to end, and what takes diagnostics.
    `directory` is what `-C` named: commands that are proposed at the end name it too.
    """
    report = _show_as_json(start) if as_json else _show_to_people(start, directory)
    for breakdown in report.breakdowns:
        say_error(breakdown.message, breakdown.hint)
    if report.exit_code != 0 and not report.runs:
        from windlass.cli.diagnostics import exit_code_for

        return exit_code_for(report.diagnostics) or report.exit_code
    return report.exit_code


def _show_as_json(start: Start) -> RunReport:
    from windlass.cli.json_events import JsonEvents

    events = JsonEvents(open_terminal(sys.stdout))
    interruption = Interruption()

    def tell(root: Path, diagnostics: Sequence[Diagnostic]) -> None:  # noqa: ARG001  # no snippets
        for diagnostic in diagnostics:
            events.show_diagnostic(diagnostic)

    with cancelled_by_signals(interruption.request, write_directly):
        return start(_with_notice(events.show), interruption, tell)


def _show_to_people(start: Start, directory: Path | None) -> RunReport:
    terminal = open_terminal(sys.stdout)
    interruption = Interruption()
    with (
        open_view(terminal, name_place(directory)) as view,
        cancelled_by_signals(interruption.request, view.announce),
    ):

        def tell(root: Path, diagnostics: Sequence[Diagnostic]) -> None:
            with view.aside():
                _tell_diagnostics(root, diagnostics)

        report = start(_with_notice(view.show), interruption, tell)
    _tell_ends(report, terminal)
    return report


def name_place(directory: Path | None) -> str:
    """Return the options by which a command finds what is kept in a folder."""
    return "" if directory is None else f"-C {shlex.quote(str(directory))}"


def open_view(terminal: Terminal, place: str) -> LiveView | LogView:
    """Return what shows events on a terminal: a tree that is redrawn, or lines.

    `place` are the options that commands need which are proposed at the end.
    """
    if terminal.is_live:
        from windlass.cli.live import LiveView

        return LiveView(terminal, place=place)
    from windlass.cli.log_view import LogView

    return LogView(terminal, place)


def _with_notice(emit: Emit) -> Emit:
    """Say that jobs run on this machine before the first of them does."""

    def emit_after_notice(event: RunEvent) -> None:
        if isinstance(event, JobStarted) and event.place == HOST:
            from windlass.cli.host_notice import give_host_notice

            give_host_notice(say_warning)
        emit(event)

    return emit_after_notice


def _tell_diagnostics(root: Path, diagnostics: Sequence[Diagnostic]) -> None:
    """Lay out diagnostics of files; what only has to be known takes a line."""
    if all(it.severity is Severity.NOTICE and it.span is None for it in diagnostics):
        for notice in diagnostics:
            open_terminal(sys.stderr).write(f"{visible(notice.message)}\n")
        return
    from windlass.cli.diagnostics import Sources, print_diagnostics

    print_diagnostics(open_terminal(sys.stderr), diagnostics, Sources(root))


def _tell_ends(report: RunReport, terminal: Terminal) -> None:
    """Say how several workflows ended, and where folders were kept."""
    if report.runs and len(report.runs) + len(report.refused) > 1:
        terminal.write(f"\n{terminal.paint('Workflows', 'bold')}\n")
        for run in report.runs:
            mark = terminal.paint(MARKS[run.result], STYLES[run.result])
            terminal.write(f"  {mark} {visible(run.name)}  {terminal.paint(run.path, 'dim')}\n")
        for refused in report.refused:
            mark = terminal.paint(MARKS[Result.FAILURE], STYLES[Result.FAILURE])
            remark = terminal.paint("not started, for the errors told first", "dim")
            terminal.write(f"  {mark} {visible(refused.name)}  {remark}\n")
    for run in report.runs:
        if run.kept is not None:
            terminal.write(f"kept the folders of {visible(run.name)} in {run.kept}\n")
