"""Lays out docs/reference/cli.md from the parsers of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.main import COMMANDS, load_command
from windlass.cli.parser import build_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from windlass.cli.parser import Parser

HEAD = """\
# The command line

Generated from the parsers; `./dev docs` rewrites it. Exit codes are on
[their own page](exit-codes.md).

`windlass --version` prints the version, `windlass help` lists the commands.
"""


def lay_out_reference() -> str:
    """The whole page, in the order of the help."""
    parsers = [build_parser(name, load_command(name)) for name in COMMANDS]
    sections = [section for parser in parsers for section in lay_out(parser)]
    return "\n".join([HEAD, *sections]).rstrip() + "\n"


def lay_out(parser: Parser) -> Iterator[str]:
    yield f"## {parser.prog}\n"
    yield f"```\n{synopsis(parser)}\n```\n"
    yield f"{(parser.description or '').strip()}\n"
    if actions := parser.documented_actions():
        yield "| argument | meaning |\n|---|---|"
        yield "".join(f"| {names(action)} | {meaning(action)} |\n" for action in actions)


def synopsis(parser: Parser) -> str:
    actions = parser.documented_actions()
    options = " [OPTIONS]" if any(action.option_strings for action in actions) else ""
    positional = [placeholder(action) for action in actions if not action.option_strings]
    return f"{parser.prog}{options}{''.join(f' {name}' for name in positional)}"


def placeholder(action: argparse.Action) -> str:
    name = value_name(action)
    if action.nargs == "?":
        return f"[{name}]"
    return f"[{name} ...]" if action.nargs == "*" else name


def value_name(action: argparse.Action) -> str:
    if action.metavar:
        return str(action.metavar)
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


def names(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{value_name(action)}`".replace("|", "\\|")
    value = "" if action.nargs == 0 else f" {value_name(action)}"
    return ", ".join(f"`{option}{value}`" for option in action.option_strings).replace("|", "\\|")


def meaning(action: argparse.Action) -> str:
    return (action.help or "").replace("|", "\\|") % {"default": action.default}
