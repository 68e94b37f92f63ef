"""End a run that goes on in another terminal, as Ctrl-C there would, or on a server.

Steps are asked to end and `always()` still runs; with `--force` everything is killed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from windlass.cli.directory import add_directory_option, enter_directory
from windlass.cli.failures import say_warning
from windlass.cli.history_options import add_run_argument, find_state
from windlass.cli.servers import add_server_option, find_server
from windlass.cli.terminal import open_terminal
from windlass.operations.cancellations import cancel_run
from windlass.operations.history import open_history

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass cancel`."""
    add_run_argument(parser)
    add_directory_option(parser)
    parser.add_argument("--force", action="store_true", help="kill what runs, `always()` too")
    add_server_option(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Send the request; it does not wait for the end."""
    enter_directory(arguments)
    server = find_server(arguments)
    if server is not None:
        from windlass.cli.hosted.cancel import cancel_on_server

        run = cancel_on_server(server, arguments)
    else:
        with open_history(find_state(), say_warning) as history:
            attempt = history.find(arguments.run)
            cancel_run(attempt, force=arguments.force)
        run = attempt.row.run.id
    open_terminal(sys.stderr).write(f"asked run {run} to end\n")
    return 0
