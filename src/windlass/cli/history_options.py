"""What the commands about earlier runs share: which run, of which repository."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.directory import enter_directory
from windlass.cli.failures import say_warning
from windlass.cli.roots import find_root
from windlass.errors import InputError
from windlass.operations.history import LATEST, open_history
from windlass.stores.state_folder import STATE_FOLDER

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from windlass.cli.parser import Parser
    from windlass.operations.history import History


def add_run_argument(parser: Parser) -> None:
    """Declare RUN, which may be left out."""
    parser.add_argument(
        "run",
        nargs="?",
        default=LATEST,
        metavar="RUN",
        help="a run's id, its beginning or its end; default: the latest run",
    )


def find_state() -> Path:
    """Return the state folder of the repository that the current folder is in.

    Raises InputError where it is in none.
    """
    root = find_root(Path())
    if root is None:
        raise InputError(f"{Path().absolute()} is not in a Git repository", hint="-C names one")
    return root / STATE_FOLDER


@contextmanager
def entered_history(arguments: argparse.Namespace) -> Iterator[History]:
    """Yield the history of the repository that the arguments are about.

    Raises InputError where there is none, PlatformError where it cannot be opened.
    """
    enter_directory(arguments)
    with open_history(find_state(), say_warning) as history:
        yield history
