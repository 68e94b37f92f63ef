"""How commands find a server's folder and database, and the packages that they need."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.cmd.data_folder import find_database
from windlass.config.user_folders import find_data_folder
from windlass.errors import InputError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from windlass.cli.parser import Parser

_NEEDED: Final = ("alembic", "sqlalchemy", "cryptography")


def add_place_options(parser: Parser) -> None:
    """Declare where a server keeps things."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="the server's folder; default: windlass in XDG_DATA_HOME, or ~/.local/share",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="postgresql://USER@HOST/NAME, or sqlite:///FILE; a password is better given with "
        "WINDLASS_DATABASE_URL; default: a file in the folder",
    )


def read_data(arguments: argparse.Namespace) -> Path:
    """Return the folder that is meant, whether it is there or not."""
    given = Path(arguments.data) if arguments.data else find_data_folder(os.environ)
    return given.expanduser().absolute()


def require_data(arguments: argparse.Namespace) -> Path:
    """Return the folder that is meant.

    Raises:
        InputError: it is not there.
    """
    data = read_data(arguments)
    if not data.is_dir():
        raise InputError(f"{data} is no folder", hint="give the server's with --data DIR")
    return data


def read_database(arguments: argparse.Namespace, data: Path) -> str:
    """Return the address of the database that is meant."""
    return find_database(data, arguments.database, os.environ)


def require_server_packages(needed: Sequence[str] = _NEEDED) -> None:
    """Refuse where a package is not installed that a server's database needs, or all of it.

    Raises:
        UsageError: one is not.
    """
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"a server needs packages that are not installed: {', '.join(missing)}",
            hint="pip install 'windlass[server]'",
        )
