"""Print what the jobs of a run printed, masked as it was on the screen.

Lines of several jobs have their job in front. `-f` goes on until the run has ended.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from typing import TYPE_CHECKING

from windlass.cli.directory import add_directory_option
from windlass.cli.escapes import clean_line, strip_colours
from windlass.cli.history_options import add_run_argument, entered_history
from windlass.cli.show import choose_attempt
from windlass.cli.terminal import open_terminal, visible
from windlass.errors import UsageError
from windlass.operations.run_logs import LogChoice, find_logs, follow_logs, read_log

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from windlass.cli.parser import Parser
    from windlass.cli.terminal import Terminal
    from windlass.operations.history import Attempt
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
        lines, several = follow_logs(attempts, choice), arguments.job is None
    else:
        lines, several = _read(attempts, choice)
    # Nobody can tell how many jobs there will be; one at a time is written as soon as it comes.
    at_once = 1 if arguments.follow else LINES_AT_ONCE
    _write(lines, terminal, several=several, as_json=arguments.json, at_once=at_once)
    return 0


def _read(
    attempts: Sequence[Attempt], choice: LogChoice
) -> tuple[Iterator[tuple[JobView, LogLine]], bool]:
    logs = find_logs(attempts, choice)
    lines = ((log.job, line) for log in logs for line in read_log(log, choice.tail))
    return lines, len(logs) > 1


def _write(
    lines: Iterable[tuple[JobView, LogLine]],
    terminal: Terminal,
    *,
    several: bool,
    as_json: bool,
    at_once: int,
) -> None:
    rest = iter(lines)
    while batch := list(islice(rest, at_once)):
        texts = (
            _as_json(job, line) if as_json else _as_text(job, line, terminal, several=several)
            for job, line in batch
        )
        terminal.write("".join(f"{text}\n" for text in texts))


def _as_json(job: JobView, line: LogLine) -> str:
    values = {"job": job.key, "step": line.step, "line": line.number + 1, "time": line.time}
    return json.dumps({**values, "text": line.text})


def _as_text(job: JobView, line: LogLine, terminal: Terminal, *, several: bool) -> str:
    """Return a line: harmless where a person reads it, but for colours as it is elsewhere."""
    if terminal.stream.isatty():
        text = clean_line(line.text, colour=terminal.colour)
    else:
        text = strip_colours(line.text)
    if not several:
        return text
    return f"{terminal.paint(visible(job.name), 'cyan')} {terminal.paint('│', 'dim')} {text}"
