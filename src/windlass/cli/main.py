"""The entry point: finds the command, imports only that, turns every end into an exit code.

Kept free of imports on purpose: people wait for `windlass --version` and for the first step of
`windlass run`.
"""

from __future__ import annotations

import sys

from windlass.cli.pipes import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

COMMANDS = {
    "completion": ("windlass.cli.completion", "print a completion script for a shell"),
}
"""Command → its module, which has `add_arguments(parser)` and `execute(arguments) -> exit code`,
and one line that says what it does. In the order of the help."""

CANCELLED_EXIT_CODE = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; no exception ever leaves this function.

    Source of the codes: docs/reference/exit-codes.md.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run_command(words)
    except KeyboardInterrupt:
        code = CANCELLED_EXIT_CODE
    except BaseException as error:  # noqa: BLE001  # the one place that may: the process ends
        from windlass.cli.failures import report_failure

        code = report_failure(error)
    return code


def _run_command(words: list[str]) -> int:
    if words in (["--version"], ["-V"]):
        from windlass import __version__

        write(sys.stdout, f"windlass {__version__}\n")
        return 0
    if not words or words[0] in ("-h", "--help", "help"):
        return _help(words[1:])
    if words[0] not in COMMANDS:
        from windlass.cli.failures import unknown_command

        raise unknown_command(words[0], COMMANDS)
    return _execute(words[0], words[1:])


def _execute(name: str, words: list[str]) -> int:
    from windlass.cli.parser import build_parser

    module = load_command(name)
    arguments = build_parser(name, COMMANDS[name][1], module).parse_strictly(words)
    code: int = arguments.execute(arguments)
    return code


def load_command(name: str) -> ModuleType:
    """Import the module of one command."""
    from importlib import import_module

    return import_module(COMMANDS[name][0])


def _help(names: list[str]) -> int:
    """`windlass help` lists the commands, `windlass help NAME` is `windlass NAME --help`."""
    if names and names[0] in COMMANDS:
        return _execute(names[0], [*names[1:], "--help"])
    if names:
        return _run_command(names)
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items())
    write(
        sys.stdout,
        "Windlass runs a repository's own GitHub-Actions workflows anywhere.\n\n"
        "usage: windlass COMMAND [OPTIONS]\n\n"
        f"{lines}\n\n"
        "`windlass COMMAND --help` explains a command; `windlass --version` prints the version.\n",
    )
    return 0
