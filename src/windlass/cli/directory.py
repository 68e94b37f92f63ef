"""`-C DIR`: the folder in which a command acts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import InputError

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_directory_option(parser: Parser) -> None:
    """Declare `-C`."""
    parser.add_argument(
        "-C",
        "--directory",
        type=Path,
        metavar="DIR",
        help="act as if started in DIR; other paths are relative to it",
    )


def enter_directory(arguments: argparse.Namespace) -> None:
    """Make `-C DIR` the current folder.

    Raises InputError where that cannot be.
    """
    if arguments.directory is None:
        return
    try:
        os.chdir(arguments.directory)
    except OSError as error:
        raise InputError(f"-C {arguments.directory}: {error.strerror}") from None
