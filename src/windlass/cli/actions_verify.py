"""Say whether windlass.lock still holds: for the workflows, and for what is kept of others.

Ends with 1 if something is used that it does not have, or a commit cannot be had or is damaged.
That a branch or a tag has moved since is told, and is no failure: runs take the locked commit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.action_options import add_lock_options, read_sources
from windlass.cli.directory import enter_directory
from windlass.cli.lock_report import show_verification
from windlass.operations.locking import verify_actions

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass actions verify`."""
    add_lock_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Do it and print what came of it."""
    enter_directory(arguments)
    sources = read_sources(arguments, [])
    report = verify_actions(Path(), sources)
    return show_verification(report, as_json=arguments.json)
