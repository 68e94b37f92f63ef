"""Print what the jobs of a run printed, masked as it was on the screen.

Lines of several jobs have their job in front. `-f` goes on until the run has ended.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from typing import TYPE_CHECKING

from windlass.cli.directory import add_directory_option
from windlass.cli.escapes import clean_line, is_plain, strip_colours
from windlass.cli.history_options import add_run_argument, entered_history
from windlass.cli.show import choose_attempt
from windlass.cli.terminal import open_terminal, visible
from windlass.errors import UsageError
from windlass.operations.run_logs import (
    LogChoice,
    find_logs,
    follow_logs,
    read_log,
    read_texts,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from windlass.cli.parser import Parser
    from windlass.cli.terminal import Terminal
    from windlass.operations.history import Attempt
    from windlass.operations.run_logs import JobLog
    from windlass.operations.run_views import JobView
    from windlass.stores.logs import LogLine

LINES_AT_ONCE = 1000


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass logs`."""
    add_run_argument(parser)
    add_directory_option(parser)
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on with what comes until the run has ended"
    )
    parser.add_argument("-j", "--job", metavar="JOB", help="only this job, or its legs")
    parser.add_argument("--step", metavar="STEP", help="only this step, by its id or name")
    parser.add_argument("--failed", action="store_true", help="only steps that failed")
    parser.add_argument("--tail", type=int, metavar="N", help="only the last N lines of each job")
    parser.add_argument(
        "--attempt", type=int, metavar="N", help="the n-th attempt; default: the last one"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object for each line")


def execute(arguments: argparse.Namespace) -> int:
    """Print the lines."""
    if arguments.tail is not None and arguments.tail < 0:
        raise UsageError("--tail counts lines: 0 or more")
    choice = LogChoice(
        job=arguments.job, step=arguments.step, failed=arguments.failed, tail=arguments.tail
    )
    with entered_history(arguments) as history:
        attempts = history.attempts(history.find(arguments.run).row.run.id)
    last = choose_attempt(attempts, arguments.attempt)
    attempts = [it for it in attempts if it.row.attempt <= last.row.attempt]
    terminal = open_terminal(sys.stdout)
    if arguments.follow:
        _follow(attempts, choice, terminal, as_json=arguments.json)
    elif arguments.json:
        _print_json(find_logs(attempts, choice), choice, terminal)
    else:
        _print(find_logs(attempts, choice), choice, terminal)
    return 0


def _follow(
    attempts: Sequence[Attempt], choice: LogChoice, terminal: Terminal, *, as_json: bool
) -> None:
    """Write each line as it comes; nobody can tell how many jobs there will be."""
    several = choice.job is None
    for job, line in follow_logs(attempts, choice):
        text = (
            _as_json(job, line) if as_json else _as_text(job, line.text, terminal, several=several)
        )
        terminal.write(f"{text}\n")


def _print_json(logs: Sequence[JobLog], choice: LogChoice, terminal: Terminal) -> None:
    lines = (_as_json(log.job, line) for log in logs for line in read_log(log, choice.tail))
    while batch := list(islice(lines, LINES_AT_ONCE)):
        terminal.write("".join(f"{line}\n" for line in batch))


def _print(logs: Sequence[JobLog], choice: LogChoice, terminal: Terminal) -> None:
    """Write whole logs many lines at once."""
    for log in logs:
        texts: Iterable[str] = read_texts(log)
        if choice.tail is not None:
            texts = (line.text for line in read_log(log, choice.tail))
        for text in texts:
            terminal.write(f"{_as_text(log.job, text, terminal, several=len(logs) > 1)}\n")


def _as_json(job: JobView, line: LogLine) -> str:
    values = {"job": job.key, "step": line.step, "line": line.number + 1, "time": line.time}
    return json.dumps({**values, "text": line.text})


def _as_text(job: JobView, text: str, terminal: Terminal, *, several: bool) -> str:
    """Return lines: harmless where a person reads them, but for colours as they are elsewhere."""
    if not terminal.stream.isatty():
        text = strip_colours(text) if "\x1b" in text else text
    elif not is_plain(text):
        lines = (clean_line(line, colour=terminal.colour) for line in text.split("\n"))
        text = "\n".join(lines)
    if not several:
        return text
    beginning = f"{terminal.paint(visible(job.name), 'cyan')} {terminal.paint('│', 'dim')} "
    return beginning + text.replace("\n", f"\n{beginning}")
