"""Remove old runs with their logs, bases that nobody uses, and what interrupted runs left behind.

The same happens after a run, at most once an hour, with the default limits. The latest run stays,
and nothing goes that a run needs that is going on. What killed runs have left in Docker goes too.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

from windlass.cli.directory import add_directory_option, enter_directory
from windlass.cli.failures import say_warning
from windlass.cli.history_options import find_state
from windlass.cli.terminal import open_terminal
from windlass.errors import UsageError
from windlass.operations.history import has_history, open_history
from windlass.operations.pruning import DEFAULT_LIMITS, Limits, prune

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from windlass.cli.parser import Parser
    from windlass.operations.pruning_stored import Removal

UNITS = ("", "K", "M", "G", "T")
_SIZE = re.compile(r"(\d+)([KMGT]?)", re.IGNORECASE)


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass prune`."""
    add_directory_option(parser)
    parser.add_argument(
        "--runs",
        type=int,
        default=DEFAULT_LIMITS.runs,
        metavar="N",
        help="keep at most the last N runs; default: %(default)s",
    )
    parser.add_argument(
        "--days",
        type=float,
        default=DEFAULT_LIMITS.days,
        metavar="N",
        help="keep runs, and bases without use, for N days; default: %(default)s",
    )
    parser.add_argument(
        "--size",
        default="2G",
        metavar="SIZE",
        help="keep the last runs that fit into SIZE: 500M, 2G; default: %(default)s",
    )
    parser.add_argument(
        "--bases",
        type=int,
        default=DEFAULT_LIMITS.bases,
        metavar="N",
        help="keep the N bases that were used last; default: %(default)s",
    )
    parser.add_argument(
        "--tools", action="store_true", help="remove the tool cache too, unless a run is going on"
    )
    parser.add_argument(
        "--images",
        action="store_true",
        help="remove the images too that were built for actions in containers",
    )
    parser.add_argument(
        "--actions",
        action="store_true",
        help="remove what was fetched of other repositories too; both are this user's, of all "
        "repositories, and made again when a run needs them",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each thing")


def execute(arguments: argparse.Namespace) -> int:
    """Remove what is beyond the limits, and say what that was."""
    limits = _read_limits(arguments)
    enter_directory(arguments)
    state = find_state()
    removed: list[Removal] = []
    if has_history(state):
        with open_history(state, say_warning) as history:
            removed += prune(history, limits, dry_run=arguments.dry_run)
    removed += _prune_shared(arguments)
    if arguments.json:
        lines = [_as_json(it) for it in removed]
    else:
        lines = _lay_out(removed, "would free" if arguments.dry_run else "freed")
    open_terminal(sys.stdout).write("".join(f"{line}\n" for line in lines))
    return 0


def _prune_shared(arguments: argparse.Namespace) -> Iterator[Removal]:
    """Remove of what all repositories share what was asked for."""
    if arguments.images:
        from windlass.docker.addresses import find_address
        from windlass.docker.engine import Engine
        from windlass.operations.pruning_shared import prune_images

        yield from prune_images(Engine(find_address(os.environ)), dry_run=arguments.dry_run)
    if arguments.actions:
        from windlass.operations.pruning_shared import prune_actions

        yield from prune_actions(dry_run=arguments.dry_run)


def _lay_out(removed: Sequence[Removal], verb: str) -> list[str]:
    if not removed:
        return ["there is nothing to remove within these limits"]
    lines = [f"{it.kind} {it.name}  {format_size(it.bytes)}  {it.reason}" for it in removed]
    return [*lines, f"{verb} {format_size(sum(it.bytes for it in removed))}"]


def format_size(size: float) -> str:
    """`512`, `1.5K`, `20M`."""
    unit = 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    text = f"{size:.1f}".removesuffix(".0") if size < 10 else f"{size:.0f}"
    return f"{text}{UNITS[unit]}"


def _read_limits(arguments: argparse.Namespace) -> Limits:
    for name in ("runs", "days", "bases"):
        if getattr(arguments, name) < 0:
            raise UsageError(f"--{name} is 0 or more")
    match = _SIZE.fullmatch(arguments.size)
    if match is None:
        raise UsageError(f"--size {arguments.size!r} is no size", hint="for instance: --size 500M")
    return Limits(
        runs=arguments.runs,
        days=arguments.days,
        run_bytes=int(match[1]) << (10 * UNITS.index(match[2].upper())),
        bases=arguments.bases,
        tools=arguments.tools,
    )


def _as_json(removal: Removal) -> str:
    return json.dumps(
        {
            "kind": removal.kind,
            "name": removal.name,
            "reason": removal.reason,
            "bytes": removal.bytes,
        }
    )
