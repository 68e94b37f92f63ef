"""Put a backup of a server back, into a folder and a database that are empty.

All of the backup is compared with its digests before anything is written, and where something fails
nothing is left. A backup of SQLite may be restored into PostgreSQL, and the other way round; one of
an older version is taken to this one's. Runs that went on when the backup was taken end as those of
runners that were lost.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.pipes import write
from windlass.cmd.data_folder import holding_data_folder, prepare_data_folder
from windlass.cmd.server_options import (
    add_place_options,
    read_data,
    read_database,
    require_server_packages,
)

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass restore`."""
    parser.add_argument("file", metavar="FILE", help="what `windlass backup` has written")
    add_place_options(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def execute(arguments: argparse.Namespace) -> int:
    """Restore the backup."""
    require_server_packages()
    from windlass.operations.hosted.backups import describe, restore_backup

    data = prepare_data_folder(read_data(arguments))
    with holding_data_folder(data):
        extent = restore_backup(Path(arguments.file), data, read_database(arguments, data))
    if arguments.json:
        write(sys.stdout, json.dumps({"data": str(data), **describe(extent)}) + "\n")
        return 0
    write(sys.stdout, f"{data}: {extent.rows} rows and {extent.files} files\n")
    if not extent.keys:
        write(
            sys.stderr,
            f"windlass: the backup has no keys; put the key file of that server to {data / 'key'}, "
            "or set its secrets again\n",
        )
    return 0
