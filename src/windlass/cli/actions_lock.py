"""Write windlass.lock: which commit each ref is that workflows name of other repositories.

What it has already stays as it is; what is no longer used goes. Actions that actions use are in it
too. Ends with 1 if something cannot be had: then nothing is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.action_options import add_lock_options, read_sources
from windlass.cli.directory import enter_directory
from windlass.cli.lock_report import show_lock
from windlass.operations.locking import lock_actions

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass actions lock`."""
    add_lock_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Do it and print what came of it."""
    enter_directory(arguments)
    sources = read_sources(arguments, [])
    report = lock_actions(Path(), sources)
    return show_lock(report, as_json=arguments.json)
