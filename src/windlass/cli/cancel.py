"""End a run that goes on in another terminal, as Ctrl-C there would.

Steps are asked to end and `always()` still runs; with `--force` everything is killed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from windlass.cli.directory import add_directory_option
from windlass.cli.history_options import add_run_argument, entered_history
from windlass.cli.terminal import open_terminal
from windlass.operations.cancellations import cancel_run

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass cancel`."""
    add_run_argument(parser)
    add_directory_option(parser)
    parser.add_argument("--force", action="store_true", help="kill what runs, `always()` too")


def execute(arguments: argparse.Namespace) -> int:
    """Send the request; it does not wait for the end."""
    with entered_history(arguments) as history:
        attempt = history.find(arguments.run)
        cancel_run(attempt, force=arguments.force)
    open_terminal(sys.stderr).write(f"asked run {attempt.row.run.id} to end\n")
    return 0
