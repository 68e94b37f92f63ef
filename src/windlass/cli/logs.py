"""Print what the jobs of a run printed, masked as it was on the screen.

Lines of several jobs have their job in front. On a terminal groups and annotations look as they do
while a run goes on; elsewhere the log is printed as it is. `-f` goes on until the run has ended.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from typing import TYPE_CHECKING

from windlass.cli.directory import add_directory_option, enter_directory
from windlass.cli.escapes import strip_colours
from windlass.cli.failures import say_warning
from windlass.cli.history_options import add_run_argument, find_state
from windlass.cli.servers import add_server_option, find_server
from windlass.cli.show import choose_attempt
from windlass.cli.step_output import StepOutput, put_in_front
from windlass.cli.terminal import open_terminal, visible
from windlass.errors import UsageError
from windlass.operations.history import open_history
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
    add_server_option(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print the lines."""
    if arguments.tail is not None and arguments.tail < 0:
        raise UsageError("--tail counts lines: 0 or more")
    choice = LogChoice(
        job=arguments.job, step=arguments.step, failed=arguments.failed, tail=arguments.tail
    )
    enter_directory(arguments)
    server = find_server(arguments)
    if server is not None:
        from windlass.cli.hosted.logs import print_logs

        return print_logs(server, arguments, choice)
    with open_history(find_state(), say_warning) as history:
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
    layout = LogLayout(terminal, several=choice.job is None)
    for job, line in follow_logs(attempts, choice):
        if as_json:
            terminal.write(f"{lay_out_json(job, line)}\n")
        else:
            layout.write(job, line.step, line.text)


def _print_json(logs: Sequence[JobLog], choice: LogChoice, terminal: Terminal) -> None:
    lines = (lay_out_json(log.job, line) for log in logs for line in read_log(log, choice.tail))
    while batch := list(islice(lines, LINES_AT_ONCE)):
        terminal.write("".join(f"{line}\n" for line in batch))


def _print(logs: Sequence[JobLog], choice: LogChoice, terminal: Terminal) -> None:
    """Write whole logs many lines at once."""
    layout = LogLayout(terminal, several=len(logs) > 1)
    for log in logs:
        texts: Iterable[tuple[str, str]] = read_texts(log)
        if choice.tail is not None:
            texts = ((line.step, line.text) for line in read_log(log, choice.tail))
        for step, text in texts:
            layout.write(log.job, step, text)


def lay_out_json(job: JobView, line: LogLine) -> str:
    """Return a line of a job's log as JSON; lines count from 1."""
    values = {"job": job.key, "step": line.step, "line": line.number + 1, "time": line.time}
    return json.dumps({**values, "text": line.text})


class LogLayout:
    """Writes what jobs printed: to a person as a run shows it, elsewhere as the log has it."""

    def __init__(self, terminal: Terminal, *, several: bool) -> None:
        self._terminal = terminal
        self._several = several
        self._is_for_people = terminal.stream.isatty()
        self._outputs: dict[tuple[str, str], StepOutput] = {}

    def write(self, job: JobView, step: str, text: str) -> None:
        """Write some whole lines of a step, of which the last one has no end."""
        lead = self._lead(job)
        if self._is_for_people:
            key = (job.key, step)
            if key not in self._outputs:
                self._outputs[key] = StepOutput(self._terminal)
            lines = list(self._outputs[key].lines(text, lead))
        else:
            lines = [put_in_front(lead, strip_colours(text) if "\x1b" in text else text)]
        if lines:
            self._terminal.write("\n".join(lines) + "\n")

    def _lead(self, job: JobView) -> str:
        if not self._several:
            return ""
        paint = self._terminal.paint
        return f"{paint(visible(job.name), 'cyan')} {paint('│', 'dim')} "
