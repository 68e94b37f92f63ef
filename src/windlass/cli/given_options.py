"""Values that history does not keep, and which are given again: secrets, inputs, variables."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli.failures import say_warning
from windlass.cli.local_settings import read_local_settings
from windlass.cli.parser import parse_pairs
from windlass.operations.definitions import Given

GITHUB_TOKEN = "GITHUB_TOKEN"

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from windlass.cli.parser import Parser


def add_secret_options(parser: Parser) -> None:
    """Declare `--secret`, `--secret-file` and `--github-token`."""
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="K[=V]",
        help="a secret, from the variable K or a prompt; may be repeated",
    )
    parser.add_argument(
        "--secret-file",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="secrets as lines of K=V; may be repeated",
    )
    parser.add_argument(
        "--github-token",
        action="store_true",
        help="let jobs have the token of `gh auth token` as their GITHUB_TOKEN",
    )


def add_given_options(parser: Parser) -> None:
    """Declare all that may be given again."""
    add_secret_options(parser)
    for option, meaning in (
        ("--input", "an input of workflow_dispatch"),
        ("--var", "a variable of the `vars` context"),
        ("--env", "a variable of every step"),
    ):
        parser.add_argument(
            option, action="append", default=[], metavar="K=V", help=f"{meaning}; may be repeated"
        )


def read_secrets(arguments: argparse.Namespace) -> Mapping[str, str]:
    """Gather the secrets that the options name; a terminal is asked for missing values."""
    if not (arguments.secret or arguments.secret_file or arguments.github_token):
        return {}
    from getpass import getpass

    from windlass.cli.secrets import Secrets, gather_secrets

    given = gather_secrets(
        arguments.secret_file,
        arguments.secret,
        variables=os.environ,
        ask=getpass if sys.stdin.isatty() else None,
        warn=say_warning,
    )
    if not arguments.github_token or GITHUB_TOKEN in given:
        return given
    from windlass.cli.github_token import read_github_token

    return Secrets({**given, GITHUB_TOKEN: read_github_token(os.environ)})


def read_given(arguments: argparse.Namespace) -> tuple[Given, Given]:
    """Return what the options give, and what the local files of the repository do.

    Raises UsageError for a pair that is none, InputError for a file that cannot be understood.
    """
    given = Given(
        secrets=read_secrets(arguments),
        inputs=parse_pairs("--input", arguments.input),
        vars=parse_pairs("--var", arguments.var),
        env=parse_pairs("--env", arguments.env),
    )
    local = read_local_settings(Path(), say_warning, given.secrets, given.vars, given.inputs)
    return given, Given(secrets=local.secrets, inputs=local.inputs, vars=local.variables)
