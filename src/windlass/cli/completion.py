"""Print a script that completes commands and options in a shell.

Load it from the start-up file of the shell, for instance `eval "$(windlass completion bash)"`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from windlass.cli.main import COMMANDS, load_command
from windlass.cli.parser import Parser
from windlass.cli.pipes import write

if TYPE_CHECKING:
    import argparse

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass completion`."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that will read the script")


def execute(arguments: argparse.Namespace) -> int:
    """Write the script for the shell that was asked for."""
    import shtab

    write(sys.stdout, shtab.complete(build_whole_parser(), shell=arguments.shell) + "\n")
    return 0


def build_whole_parser() -> Parser:
    """Build the parser of all commands together, for completion and the reference page."""
    whole = Parser(prog="windlass", description="Runs a repository's own GitHub-Actions workflows.")
    whole.add_argument("--version", action="store_true", help="print the version")
    for name, (_, summary) in COMMANDS.items():
        whole.add_command(name, load_command(name), summary)
    return whole
