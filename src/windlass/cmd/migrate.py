"""Bring a server's tables up to date, or say what that would do.

`windlass up` does the same when it starts. With --dry-run the steps are carried out in a
transaction that is then taken back, so that what would go wrong is known before.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from windlass.cli.pipes import write
from windlass.cmd.data_folder import holding_database
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
    """Declare the arguments of `windlass migrate`."""
    add_place_options(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="take everything back, and say what was done"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def execute(arguments: argparse.Namespace) -> int:
    """Migrate, or say what that would do."""
    require_server_packages()
    from windlass.db.upgrades import migrate

    data = require_data(arguments)
    database = read_database(arguments, data)
    with holding_database(data, database):
        done = migrate(database, dry_run=arguments.dry_run)
    if arguments.json:
        steps = [{"version": it.version, "statements": list(it.statements)} for it in done.steps]
        facts = {"before": done.before, "after": done.after, "dry_run": arguments.dry_run}
        write(sys.stdout, json.dumps({**facts, "steps": steps}) + "\n")
        return 0
    for step in done.steps:
        write(sys.stdout, f"-- to version {step.version}\n")
        write(sys.stdout, "".join(f"{statement};\n" for statement in step.statements))
    write(sys.stderr, f"windlass: {_describe(done.before, done.after, dry=arguments.dry_run)}\n")
    return 0


def _describe(before: int, after: int, *, dry: bool) -> str:
    if before == after:
        return f"the tables are of the version {after}: there is nothing to do"
    if dry:
        return f"the tables are of the version {before}, and can be taken to {after}"
    return f"the tables were of the version {before}, and are of {after} now"
