"""Run again what a run has run: the same commit, files, event and options, as its next attempt.

With `--failed` the jobs run that failed, were cancelled or did not end, and all that need them;
with `--job` one job and all that need it. The other jobs count as they ended. Secrets and values
from local files are not kept: they are read again from where they came, or given again.

On a server secrets are those that the server has by now. The command prints the id of the run; with
`--watch` it shows the run until it has ended, and exits with the run's code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.directory import add_directory_option, enter_directory
from windlass.cli.failures import say_warning
from windlass.cli.following import add_json_option, follow
from windlass.cli.given_options import add_given_options, read_given
from windlass.cli.history_options import add_run_argument, find_state
from windlass.cli.place_options import add_place_option, read_place_options
from windlass.cli.servers import add_server_option, find_server
from windlass.errors import UsageError
from windlass.operations.history import open_history
from windlass.operations.reruns import ALL, FAILED, name_job, rerun

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass rerun`."""
    add_run_argument(parser)
    add_directory_option(parser)
    parser.add_argument("--failed", action="store_true", help="only jobs that did not succeed")
    parser.add_argument(
        "-j", "--job", metavar="JOB", help="only this job, by its key or its id in the file"
    )
    add_given_options(parser)
    add_place_option(parser, otherwise="; default: where they ran")
    add_json_option(parser)
    parser.add_argument(
        "--watch", action="store_true", help="with a server: show the run until it has ended"
    )
    add_server_option(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run again, show what happens, and return the exit code as `windlass run` does."""
    if arguments.failed and arguments.job is not None:
        raise UsageError("--failed and --job exclude each other")
    enter_directory(arguments)
    server = find_server(arguments)
    if server is not None:
        from windlass.cli.hosted.rerun import rerun_on_server

        return rerun_on_server(server, arguments)
    again = FAILED if arguments.failed else ALL
    if arguments.job is not None:
        again = name_job(arguments.job)
    places = read_place_options(arguments.platform)
    with open_history(find_state(), say_warning) as history:
        given, local = read_given(arguments)
        return follow(
            lambda emit, interruption, _: rerun(
                history, arguments.run, again, given, local, emit, interruption, places
            ),
            as_json=arguments.json,
            directory=arguments.directory,
        )
