"""Lock the refs of windlass.lock as they are now, all of them or those of some repositories.

Ends with 1 if something cannot be had: then nothing is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.action_options import add_lock_options, read_sources
from windlass.cli.directory import enter_directory
from windlass.cli.lock_report import show_lock
from windlass.operations.locking import update_actions

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass actions update`."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="owner/name or owner/name@ref; default: all"
    )
    add_lock_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Do it and print what came of it."""
    enter_directory(arguments)
    sources = read_sources(arguments, [])
    report = update_actions(Path(), sources, arguments.names)
    return show_lock(report, as_json=arguments.json)
