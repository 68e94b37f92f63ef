"""Argument parsers: one a command, built when it is called."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final, NoReturn

from windlass.cli.failures import suggest
from windlass.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


_NOMINAL_WIDTH: Final = 80


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are UsageErrors with a suggestion."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def format_help(self) -> str:
        """Return the help, as wide as the terminal is."""
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        return super().format_help()

    def parse_strictly(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse all words; options may stand before, between and after positional arguments."""
        arguments, unknown = self.parse_known_intermixed_args(words)
        if unknown:
            raise self._unknown_word(unknown[0])
        return arguments

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the call; argparse would print usage and exit."""
        raise UsageError(message, hint=f"`{self.prog} --help` explains the arguments")

    def _unknown_word(self, word: str) -> UsageError:
        hint = f"`{self.prog} --help` explains the arguments"
        if not word.startswith("-"):
            return UsageError(f"{self.prog}: unexpected argument {word!r}", hint=hint)
        name = word.partition("=")[0]
        known = [option for option in self._option_string_actions if option not in ("-h", "--help")]
        return UsageError(f"{self.prog} has no option {name}", hint=suggest(name, known) or hint)

    def documented_actions(self) -> Sequence[argparse.Action]:
        """The arguments and options in the order they were added, without `--help`."""
        return [action for action in self._actions if action.dest != "help"]


def build_parser(name: str, command: Any) -> Parser:
    """Build the parser of one command; its docstring is the description."""
    parser = Parser(
        prog=f"windlass {name}",
        description=read_description(command),
        formatter_class=_format_to_check,
    )
    command.add_arguments(parser)
    return parser


def read_description(command: Any) -> str | None:
    """Return the docstring of a command; that of a class is indented."""
    text: str | None = command.__doc__
    return text and "\n".join(line.removeprefix("    ") for line in text.splitlines())


def _format_to_check(*, prog: str) -> argparse.HelpFormatter:
    """Return what argparse formats each argument with as it is declared, to see if that works.

    To ask the terminal for its width, it would import `shutil` on every start.
    """
    return argparse.RawDescriptionHelpFormatter(prog, width=_NOMINAL_WIDTH)


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
