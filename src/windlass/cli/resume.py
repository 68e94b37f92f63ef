"""Go on with a run that was interrupted, by a crash or `kill -9`, where it stopped.

Jobs that had ended are kept; those that were running start again. Secrets and values from local
files are not kept: they are read again from where they came, or given again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.directory import add_directory_option
from windlass.cli.following import add_json_option, follow
from windlass.cli.given_options import add_given_options, read_given
from windlass.cli.history_options import add_run_argument, entered_history
from windlass.cli.place_options import add_place_option, read_place_options
from windlass.operations.reruns import resume_run

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass resume`."""
    add_run_argument(parser)
    add_directory_option(parser)
    add_given_options(parser)
    add_place_option(parser, otherwise="; default: where they ran")
    add_json_option(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Go on, show what happens, and return the exit code as `windlass run` does."""
    places = read_place_options(arguments.platform)
    with entered_history(arguments) as history:
        given, local = read_given(arguments)
        return follow(
            lambda emit, interruption, _: resume_run(
                history, arguments.run, given, local, emit, interruption, places
            ),
            as_json=arguments.json,
            directory=arguments.directory,
        )
