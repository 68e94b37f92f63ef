"""Run what an event starts, in the repository around the current folder.

Jobs run in containers where Docker is there with the image for them, else in a sandbox, and on this
machine itself only where `-P` or your settings say so.

Ctrl-C cancels as GitHub does: steps are asked to end and `always()` still runs. A second Ctrl-C
kills what is left. Ends with 0 if every run succeeded, 1 if one failed, 130 if it was cancelled.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.directory import enter_directory
from windlass.cli.event_options import add_event_options, read_plan_options
from windlass.cli.failures import say_warning
from windlass.cli.following import add_json_option, follow
from windlass.cli.given_options import add_secret_options, read_secrets
from windlass.cli.local_settings import read_local_settings
from windlass.cli.parser import parse_pairs
from windlass.cli.secrets import Secrets
from windlass.cli.terminal import open_terminal, visible
from windlass.operations.runs import RunOptions, run_event

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass run`."""
    add_event_options(parser)
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="K=V",
        help="a variable of every step; may be repeated",
    )
    add_secret_options(parser)
    parser.add_argument(
        "--allow-environment",
        action="append",
        default=[],
        metavar="NAME",
        help="let jobs for this environment run; without it they are held; may be repeated",
    )
    parser.add_argument(
        "--committed", action="store_true", help="check out the commit without your changes"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folders of the jobs")
    add_json_option(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Run, show what happens, and return the exit code of the report."""
    enter_directory(arguments)
    options = _read_options(arguments)
    return follow(
        lambda emit, interruption, tell: run_event(
            Path(), arguments.event, options, emit, interruption, tell
        ),
        as_json=arguments.json,
        directory=arguments.directory,
    )


def _read_options(arguments: argparse.Namespace) -> RunOptions:
    plan, secrets = read_plan_options(arguments, _say), read_secrets(arguments)
    local = read_local_settings(Path(), say_warning, secrets, plan.variables, plan.inputs)
    if told := local.describe():
        _say(told)
    return RunOptions(
        plan=local.complete(plan),
        env=parse_pairs("--env", arguments.env),
        secrets=Secrets({**local.secrets, **secrets}),
        allowed_environments=frozenset(arguments.allow_environment),
        committed=arguments.committed,
        keep=arguments.keep,
        private=local.private,
    )


def _say(message: str) -> None:
    open_terminal(sys.stderr).write(f"{visible(message)}\n")
