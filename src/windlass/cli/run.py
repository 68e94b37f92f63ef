"""Run what an event starts, on this machine, in the repository around the current folder.

Ctrl-C cancels as GitHub does: steps are asked to end and `always()` still runs. A second Ctrl-C
kills what is left. Ends with 0 if every run succeeded, 1 if one failed, 130 if it was cancelled.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.event_options import add_event_options, enter_directory, read_plan_options
from windlass.cli.failures import say_error
from windlass.cli.marks import MARKS, STYLES
from windlass.cli.parser import parse_pairs
from windlass.cli.terminal import Terminal, open_terminal, visible
from windlass.model.status import Result
from windlass.operations.runs import Interruption, RunOptions, run_event

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from windlass.cli.live import LiveView
    from windlass.cli.log_view import LogView
    from windlass.cli.parser import Parser
    from windlass.lang.diagnostics import Diagnostic
    from windlass.operations.runs import RunReport

CANCELLING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass run`."""
    add_event_options(parser)
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="K=V",
        help="a variable of every step; may be repeated",
    )
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="K[=V]",
        help="a secret, from the variable K or a prompt; may be repeated",
    )
    parser.add_argument(
        "--secret-file",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="secrets as lines of K=V; may be repeated",
    )
    parser.add_argument(
        "-P",
        "--platform",
        action="append",
        default=[],
        metavar="LABEL=PLACE",
        help="where jobs with this `runs-on` label run; `host` is this machine; may be repeated",
    )
    parser.add_argument(
        "--allow-environment",
        action="append",
        default=[],
        metavar="NAME",
        help="let jobs for this environment run; without it they are held; may be repeated",
    )
    parser.add_argument(
        "--committed", action="store_true", help="check out the commit without your changes"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folders of the jobs")
    parser.add_argument("--json", action="store_true", help="print each event as a line of JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Run, show what happens, and return the exit code of the report."""
    enter_directory(arguments)
    options = _read_options(arguments)
    show = _show_as_json if arguments.json else _show_to_people
    report = show(arguments.event, options, Interruption())
    for breakdown in report.breakdowns:
        say_error(breakdown.message, breakdown.hint)
    if report.exit_code != 0 and not report.runs:
        from windlass.cli.diagnostics import exit_code_for

        return exit_code_for(report.diagnostics) or report.exit_code
    return report.exit_code


def _read_options(arguments: argparse.Namespace) -> RunOptions:
    return RunOptions(
        plan=read_plan_options(arguments),
        env=parse_pairs("--env", arguments.env),
        secrets=_read_secrets(arguments),
        labels=parse_pairs("-P", arguments.platform),
        allowed_environments=frozenset(arguments.allow_environment),
        committed=arguments.committed,
        keep=arguments.keep,
    )


def _read_secrets(arguments: argparse.Namespace) -> Mapping[str, str]:
    if not arguments.secret and not arguments.secret_file:
        return {}
    from getpass import getpass

    from windlass.cli.secrets import gather_secrets

    return gather_secrets(
        arguments.secret_file,
        arguments.secret,
        variables=os.environ,
        ask=getpass if sys.stdin.isatty() else None,
        warn=_warn,
    )


def _warn(message: str) -> None:
    terminal = open_terminal(sys.stderr)
    terminal.write(f"{terminal.paint('warning:', 'yellow')} {visible(message)}\n")


def _show_as_json(event: str, options: RunOptions, interruption: Interruption) -> RunReport:
    from windlass.cli.json_events import JsonEvents

    events = JsonEvents(open_terminal(sys.stdout))

    def tell(root: Path, diagnostics: Sequence[Diagnostic]) -> None:  # noqa: ARG001  # no snippets
        for diagnostic in diagnostics:
            events.show_diagnostic(diagnostic)

    with _cancelled_by_signals(interruption.request):
        return run_event(Path(), event, options, events.show, interruption, tell)


def _show_to_people(event: str, options: RunOptions, interruption: Interruption) -> RunReport:
    terminal = open_terminal(sys.stdout)
    with _open_view(terminal) as view:

        def cancel() -> None:
            view.announce("cancelling; Ctrl-C again kills what is left")
            interruption.request()

        with _cancelled_by_signals(cancel):
            report = run_event(Path(), event, options, view.show, interruption, _tell_diagnostics)
    _tell_ends(report, terminal)
    return report


def _open_view(terminal: Terminal) -> LiveView | LogView:
    if terminal.is_live:
        from windlass.cli.live import LiveView

        return LiveView(terminal)
    from windlass.cli.log_view import LogView

    return LogView(terminal)


def _tell_diagnostics(root: Path, diagnostics: Sequence[Diagnostic]) -> None:
    from windlass.cli.diagnostics import Sources, print_diagnostics

    print_diagnostics(open_terminal(sys.stderr), diagnostics, Sources(root))


@contextmanager
def _cancelled_by_signals(cancel: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C and its like cancel the run instead of tearing Windlass down.

    SIGINT is taken over even where it was ignored (a shell's background job): a handler, unlike an
    ignored signal, is not inherited by the steps. A hang-up that `nohup` ignores stays ignored.
    """

    def handle(number: int, frame: object) -> None:  # noqa: ARG001  # the form of a handler
        cancel()

    hears_hang_ups = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    numbers = [it for it in CANCELLING_SIGNALS if it != signal.SIGHUP or hears_hang_ups]
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
