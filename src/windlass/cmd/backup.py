"""Write a backup of a server into one file, while it runs.

It holds the database, the logs, artifacts and caches, and the mirrors of repositories, as they are
at one moment, with a digest of each. Secrets of repositories are in it as the database has them,
sealed; the key file is not, unless --with-keys is given: keep it elsewhere, and keep it safe.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
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
    """Declare the arguments of `windlass backup`."""
    parser.add_argument(
        "file", metavar="FILE", help="the file to write, which must not be there: boat.tar.zst"
    )
    add_place_options(parser)
    parser.add_argument(
        "--with-keys",
        action="store_true",
        help="put the keys into the backup: who has it can then read all secrets",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def execute(arguments: argparse.Namespace) -> int:
    """Write the backup."""
    require_server_packages()
    from windlass.operations.hosted.backups import describe, make_backup

    data = require_data(arguments)
    path = Path(arguments.file)
    database = read_database(arguments, data)
    extent = make_backup(data, database, path, now=time.time(), keys=arguments.with_keys)
    if arguments.json:
        write(sys.stdout, json.dumps({"file": str(path), **describe(extent)}) + "\n")
        return 0
    write(
        sys.stdout,
        f"{path}: {extent.rows} rows and {extent.files} files in {extent.bytes} bytes\n",
    )
    if not extent.keys:
        write(
            sys.stderr,
            f"windlass: the keys are not in it; without {data / 'key'} nobody reads its secrets\n",
        )
    return 0
