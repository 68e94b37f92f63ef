"""Argument parsers: one a command, built when it is called."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from windlass.cli.failures import suggest
from windlass.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are UsageErrors with a suggestion."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})
        self.commands: dict[str, Parser] = {}
        """The nested parsers by name; empty for a command without subcommands."""
        self._nest: argparse._SubParsersAction[Parser] | None = None

    def add_command(self, name: str, module: ModuleType, summary: str) -> Parser:
        """Nest the parser of a subcommand; the module's docstring is its description."""
        if self._nest is None:
            self._nest = self.add_subparsers(metavar="COMMAND", required=True)
        parser = self._nest.add_parser(name, help=summary, description=module.__doc__)
        configure(parser, module)
        self.commands[name] = parser
        return parser

    def parse_strictly(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse all words; options may stand before, between and after positional arguments."""
        if self.commands:
            arguments, unknown = self.parse_known_args(words)
        else:
            arguments, unknown = self.parse_known_intermixed_args(words)
        if unknown:
            raise self._unknown_word(unknown[0], arguments)
        return arguments

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the call; argparse would print usage and exit."""
        raise UsageError(message, hint=f"`{self.prog} --help` explains the arguments")

    def _unknown_word(self, word: str, arguments: argparse.Namespace) -> UsageError:
        parser = getattr(arguments, "parser", self)
        hint = f"`{parser.prog} --help` explains the arguments"
        if not word.startswith("-"):
            return UsageError(f"{parser.prog}: unexpected argument {word!r}", hint=hint)
        name = word.partition("=")[0]
        near = suggest(name, parser.option_names())
        return UsageError(f"{parser.prog} has no option {name}", hint=near or hint)

    def option_names(self) -> Iterable[str]:
        """All options of this parser, long and short."""
        return tuple(name for name in self._option_string_actions if name not in ("-h", "--help"))

    def documented_actions(self) -> Sequence[argparse.Action]:
        """The arguments and options in the order they were added, without `--help`."""
        hidden = ("help", argparse.SUPPRESS)
        return [action for action in self._actions if action.dest not in hidden]


def build_parser(name: str, summary: str, module: ModuleType) -> Parser:
    """Build the parser of one command; its module's docstring is the description."""
    parser = Parser(prog=f"windlass {name}", description=module.__doc__ or summary)
    configure(parser, module)
    return parser


def configure(parser: Parser, module: ModuleType) -> None:
    """Add a command's arguments to its parser, and what main() needs to call it."""
    parser.set_defaults(execute=getattr(module, "execute", None), parser=parser)
    module.add_arguments(parser)


def parse_pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """Read repeated `KEY=VALUE` values of an option; a later one replaces an earlier one.

    Raises UsageError for a text without a key or without `=`.
    """
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(
                f"{option} {text!r} is not KEY=VALUE", hint=f"for instance: {option} name=value"
            )
        pairs[key] = value
    return pairs
