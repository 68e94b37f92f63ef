"""Seal a server's secrets under a new key, while it runs.

The key before stays in the key file until the next time, for who is just using it: where it may
have been seen by others, do this twice, and change the secrets themselves. Backups hold what was
sealed under the key of their time: keep it as long as them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from windlass.cli.pipes import write
from windlass.cmd.server_options import (
    add_place_options,
    read_database,
    require_data,
    require_server_packages,
)

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass keys rotate`."""
    add_place_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Make a new key and use it."""
    require_server_packages()
    from windlass.db.server_database import ServerDatabase
    from windlass.operations.hosted.secrets import rotate_key

    data = require_data(arguments)
    store = ServerDatabase(read_database(arguments, data))
    try:
        count = rotate_key(store, data)
    finally:
        store.close()
    write(sys.stderr, f"windlass: {count} values are sealed under a new key in {data / 'key'}\n")
    return 0
