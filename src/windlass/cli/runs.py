"""List runs, newest first: how they ended, and what they were about.

They are those of this repository's own history, or with `--server` those of a server.
"""

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
from windlass.cli.run_states import describe_state, paint_status
from windlass.cli.servers import (
    add_repository_option,
    add_server_option,
    find_server,
    refuse_server_options,
)
from windlass.cli.terminal import open_terminal, visible, width_of
from windlass.errors import UsageError
from windlass.operations.history import has_history, open_history

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from windlass.cli.parser import Parser
    from windlass.cli.terminal import Terminal
    from windlass.db.runs import AttemptRow
    from windlass.operations.history import Attempt
    from windlass.operations.run_views import Status

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
    add_server_option(parser)
    add_repository_option(parser, "only those of this repository")
    for option, metavar, meaning in (
        ("--workflow", "FILE", "of this workflow file"),
        ("--branch", "BRANCH", "of this branch"),
        ("--state", "STATE", "that are so: running, success, failure, cancelled, skipped"),
    ):
        parser.add_argument(option, metavar=metavar, help=f"with a server: only those {meaning}")


def execute(arguments: argparse.Namespace) -> int:
    """Print the list; a repository without runs has an empty one."""
    if arguments.limit < 0:
        raise UsageError("--limit counts runs: 0 or more")
    enter_directory(arguments)
    server = find_server(arguments)
    if server is not None:
        from windlass.cli.hosted.runs import list_runs

        rows = list_runs(server, arguments)
    else:
        refuse_server_options(arguments, "repository", "workflow", "branch", "state")
        found = _list_runs(find_state(), arguments.limit or None)
        rows = [(attempt.row, describe_state(attempt)) for attempt in found]
    _print(rows, as_json=arguments.json)
    return 0


def _list_runs(state: Path, limit: int | None) -> list[Attempt]:
    if not has_history(state):
        return []
    with open_history(state, say_warning) as history:
        return history.list_runs(limit)


def _print(rows: Sequence[tuple[AttemptRow, Status]], *, as_json: bool) -> None:
    terminal = open_terminal(sys.stdout)
    if not rows:
        open_terminal(sys.stderr).write("there are no runs yet; `windlass run` starts one\n")
    if as_json:
        lines = [json.dumps(describe_attempt(row, state)) for row, state in rows]
    else:
        lines = _lay_out(rows, terminal)
    terminal.write("".join(f"{line}\n" for line in lines))


def describe_attempt(row: AttemptRow, state: Status) -> dict[str, Any]:
    """Return what `--json` says of an attempt; times are in seconds since the epoch."""
    described = {
        "run": row.run.id,
        "attempt": row.attempt,
        "number": row.run.number,
        "workflow": row.run.workflow,
        "path": row.run.path,
        "event": row.run.event,
        "sha": row.run.sha,
        "ref": row.run.ref,
        "state": state,
        "result": None if row.result is None else row.result.value,
        "created": row.run.created,
        "started": row.started,
        "finished": row.finished,
    }
    # Local history has one repository, which has no name there.
    return {**described, "repository": row.run.repository} if row.run.repository else described


def _lay_out(rows: Sequence[tuple[AttemptRow, Status]], terminal: Terminal) -> list[str]:
    """Return one line for each run, in columns."""
    cells = [_cells(row, state) for row, state in rows]
    widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
    return [
        f"{paint_status(state, terminal)} "
        + "  ".join(
            cell + " " * (width - width_of(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for (_, state), line in zip(rows, cells, strict=True)
    ]


def _cells(row: AttemptRow, state: Status) -> tuple[str, ...]:
    again = f" (attempt {row.attempt})" if row.attempt > 1 else ""
    ends = row.finished or (time.time() if state == "running" else None)
    where = f"{row.run.repository} " if row.run.repository else ""
    return (
        row.run.id,
        state + again,
        visible(row.run.workflow),
        visible(f"{where}{row.run.event} {row.run.ref.removeprefix('refs/heads/')}"),
        row.run.sha[:SHORT_SHA],
        datetime.fromtimestamp(row.started).astimezone().strftime("%Y-%m-%d %H:%M"),
        "" if ends is None else format_seconds(ends - row.started),
    )
