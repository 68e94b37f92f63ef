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

    script = shtab.complete(_build_whole_parser(), shell=arguments.shell)
    write(sys.stdout, script.rstrip() + "\n")
    return 0


def _build_whole_parser() -> Parser:
    """Nest the parsers of all commands in one, as shtab wants it."""
    whole = Parser(prog="windlass")
    whole.add_argument("--version", action="store_true", help="print the version")
    nests = {"": whole.add_subparsers()}
    parsers: dict[str, Parser] = {}
    for name, (_, summary) in COMMANDS.items():
        group, _, verb = name.rpartition(" ")
        if group not in nests:
            # A group may be a command too: `runs`, and `runs delete`.
            if group not in parsers:
                parsers[group] = nests[""].add_parser(group, help=f"{group} …")
            nests[group] = parsers[group].add_subparsers()
        parsers[name] = nests[group].add_parser(verb, help=summary)
        load_command(name).add_arguments(parsers[name])
    return whole
