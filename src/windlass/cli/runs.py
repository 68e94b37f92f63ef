"""List the runs of this repository, newest first: how they ended, and what they were about."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from windlass.cli.directory import add_directory_option, enter_directory
from windlass.cli.failures import say_warning
from windlass.cli.history_options import find_state
from windlass.cli.marks import format_seconds
from windlass.cli.run_states import describe_state, paint_state
from windlass.cli.terminal import open_terminal, visible, width_of
from windlass.errors import UsageError
from windlass.operations.history import has_history, open_history

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from windlass.cli.parser import Parser
    from windlass.cli.terminal import Terminal
    from windlass.operations.history import Attempt

DEFAULT_LIMIT = 20
SHORT_SHA = 7


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass runs`."""
    add_directory_option(parser)
    parser.add_argument(
        "--limit",
        type=int,
        default=DEFAULT_LIMIT,
        metavar="N",
        help="at most so many runs; 0 for all; default: %(default)s",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")


def execute(arguments: argparse.Namespace) -> int:
    """Print the list; a repository without runs has an empty one."""
    if arguments.limit < 0:
        raise UsageError("--limit counts runs: 0 or more")
    enter_directory(arguments)
    attempts = _list_runs(find_state(), arguments.limit or None)
    terminal = open_terminal(sys.stdout)
    if not attempts:
        open_terminal(sys.stderr).write("there are no runs yet; `windlass run` starts one\n")
    if arguments.json:
        lines = [json.dumps(describe_attempt(attempt)) for attempt in attempts]
    else:
        lines = _lay_out(attempts, terminal)
    terminal.write("".join(f"{line}\n" for line in lines))
    return 0


def _list_runs(state: Path, limit: int | None) -> list[Attempt]:
    if not has_history(state):
        return []
    with open_history(state, say_warning) as history:
        return history.list_runs(limit)


def describe_attempt(attempt: Attempt) -> dict[str, Any]:
    """Return what `--json` says of an attempt; times are in seconds since the epoch."""
    row = attempt.row
    return {
        "run": row.run.id,
        "attempt": row.attempt,
        "number": row.run.number,
        "workflow": row.run.workflow,
        "path": row.run.path,
        "event": row.run.event,
        "sha": row.run.sha,
        "ref": row.run.ref,
        "state": describe_state(attempt),
        "result": None if row.result is None else row.result.value,
        "created": row.run.created,
        "started": row.started,
        "finished": row.finished,
    }


def _lay_out(attempts: Sequence[Attempt], terminal: Terminal) -> list[str]:
    """Return one line for each run, in columns."""
    rows = [_cells(attempt) for attempt in attempts]
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    return [
        f"{paint_state(attempt, terminal)} "
        + "  ".join(
            cell + " " * (width - width_of(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for attempt, row in zip(attempts, rows, strict=True)
    ]


def _cells(attempt: Attempt) -> tuple[str, ...]:
    row = attempt.row
    again = f" (attempt {row.attempt})" if row.attempt > 1 else ""
    ends = row.finished or (time.time() if attempt.is_live else None)
    return (
        row.run.id,
        describe_state(attempt) + again,
        visible(row.run.workflow),
        visible(f"{row.run.event} {row.run.ref.removeprefix('refs/heads/')}"),
        row.run.sha[:SHORT_SHA],
        datetime.fromtimestamp(row.started).astimezone().strftime("%Y-%m-%d %H:%M"),
        "" if ends is None else format_seconds(ends - row.started),
    )
