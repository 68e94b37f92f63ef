"""What the commands about earlier runs share: which run, of which repository."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.event_options import enter_directory
from windlass.cli.terminal import open_terminal, visible
from windlass.operations.history import LATEST, find_state, open_history

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


def add_directory_option(parser: Parser) -> None:
    """Declare `-C`."""
    parser.add_argument(
        "-C",
        "--directory",
        type=Path,
        metavar="DIR",
        help="act as if started in DIR; other paths are relative to it",
    )


@contextmanager
def entered_history(arguments: argparse.Namespace) -> Iterator[History]:
    """Yield the history of the repository that the arguments are about.

    Raises InputError where there is none, PlatformError where it cannot be opened.
    """
    enter_directory(arguments)
    with open_history(find_state(Path()), warn) as history:
        yield history


def warn(message: str) -> None:
    """Say on stderr what somebody should know."""
    terminal = open_terminal(sys.stderr)
    terminal.write(f"{terminal.paint('warning:', 'yellow')} {visible(message)}\n")
