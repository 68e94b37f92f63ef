"""Show a run of a server while it goes on, as `windlass run` does, until it has ended.

Ctrl-C stops watching; the run goes on. The exit code is that of the run.
"""

from __future__ import annotations

import shlex
import sys
import time
from typing import TYPE_CHECKING, Final

from windlass.cli.following import add_json_option, open_view
from windlass.cli.history_options import add_run_argument
from windlass.cli.hosted.opening import find_newest, find_run, open_client
from windlass.cli.servers import add_server_option, require_server
from windlass.cli.terminal import open_terminal
from windlass.errors import PlatformError
from windlass.model.status import Result
from windlass.operations.history import LATEST
from windlass.protocol.event_lines import read_event
from windlass.protocol.events import RunFinished

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser
    from windlass.client.client import Client
    from windlass.client.logins import Login
    from windlass.protocol.api.runs import Run

_EXIT_CODES: Final = {Result.SUCCESS: 0, Result.SKIPPED: 0}
_FAILED: Final = 1
_LOOK_SECONDS: Final = 0.5


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass watch`."""
    add_run_argument(parser)
    parser.add_argument(
        "--attempt", type=int, metavar="N", help="the n-th attempt; default: the last one"
    )
    add_json_option(parser)
    add_server_option(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Watch until the end."""
    server = require_server(arguments)
    with open_client(server) as client:
        if arguments.run == LATEST:
            _await_first(client)
        run = find_run(client, arguments.run, arguments.attempt)
        return watch_attempt(
            client, run.run, run.attempt, as_json=arguments.json, server=server.name
        )


def _await_first(client: Client) -> None:
    """Wait until a server has a run: whoever has just pushed may be sooner than it."""
    if find_newest(client) is not None:
        return
    open_terminal(sys.stderr).write("there are no runs yet; the first one is waited for\n")
    while find_newest(client) is None:
        time.sleep(_LOOK_SECONDS)


def show_started(client: Client, run: Run, arguments: argparse.Namespace, server: Login) -> int:
    """Print the id of a run that was just started; with `--watch` show it until it has ended."""
    if not (arguments.watch and arguments.json):
        line = run.model_dump_json() if arguments.json else run.run
        open_terminal(sys.stdout).write(f"{line}\n")
    if not arguments.watch:
        return 0
    return watch_attempt(client, run.run, run.attempt, as_json=arguments.json, server=server.name)


def watch_attempt(client: Client, run: str, attempt: int, *, as_json: bool, server: str) -> int:
    """Show the events of an attempt until it has ended, and return the exit code for its result.

    `server` is what commands are to name it by that are proposed at the end.

    Raises:
        PlatformError: the server was away for too long, or did not say how the run has ended.
    """
    from windlass.client.streams import follow_events

    terminal = open_terminal(sys.stdout)
    result = None
    with open_view(terminal, f"--server {shlex.quote(server)}") as view:
        for line in follow_events(client, run, attempt):
            found = read_event(line)
            if as_json:
                terminal.write(f"{line}\n")
            elif found is not None:
                view.show(found[0])
            if found is not None and isinstance(found[0], RunFinished):
                result = found[0].result
    if result is None:
        raise PlatformError(f"the server did not say how run {run} has ended")
    return _EXIT_CODES.get(result, _FAILED)
