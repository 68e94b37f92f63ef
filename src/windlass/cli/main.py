"""The entry point: finds the command, imports only that, turns every end into an exit code.

Kept free of imports on purpose: people wait for `windlass --version` and for the first step of
`windlass run`.
"""

from __future__ import annotations

import sys

from windlass.cli.pipes import open_missing_streams, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

COMMANDS = {
    "run": ("windlass.cli.run", "run what an event starts"),
    "runs": ("windlass.cli.runs", "list what ran, and how it ended"),
    "show": ("windlass.cli.show", "show one run: its jobs, steps and annotations"),
    "logs": ("windlass.cli.logs", "print what the jobs of a run printed"),
    "rerun": ("windlass.cli.rerun", "run a run again, or what failed of it"),
    "resume": ("windlass.cli.resume", "go on with a run that was interrupted"),
    "cancel": ("windlass.cli.cancel", "end a run that goes on elsewhere"),
    "files": ("windlass.cli.files", "list, print or copy files of a job's kept workspace"),
    "prune": ("windlass.cli.prune", "remove old runs and what they left behind"),
    "plan": ("windlass.cli.plan", "say what an event would start, and why"),
    "lint": ("windlass.cli.lint", "find what is wrong with workflows"),
    "compat": ("windlass.cli.compat", "say what would not be honoured exactly as on GitHub"),
    "expr eval": ("windlass.cli.expr_eval", "evaluate expressions, one JSON object a line"),
    "workflow parse": ("windlass.cli.workflow_parse", "read one workflow file: value or errors"),
    "images setup": ("windlass.cli.images_setup", "make the images for ubuntu-latest and others"),
    "images list": ("windlass.cli.images_list", "list those images, and which are made"),
    "actions lock": ("windlass.cli.actions_lock", "write windlass.lock: which commit each ref is"),
    "actions update": ("windlass.cli.actions_update", "lock refs as they are now"),
    "actions verify": ("windlass.cli.actions_verify", "say whether windlass.lock still holds"),
    "events schema": ("windlass.cli.events_schema", "print the JSON Schema of `run --json`"),
    "runner": ("windlass.cmd.runner", "run jobs of a Windlass server on this machine"),
    "up": ("windlass.cmd.up", "start a server that keeps repositories and runs their workflows"),
    "completion": ("windlass.cli.completion", "print a completion script for a shell"),
}
"""Command → its module, which has `add_arguments(parser)` and `execute(arguments) -> exit code`,
and one line that says what it does. In the order of the help."""

CANCELLED_EXIT_CODE = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; no exception ever leaves this function.

    Source of the codes: docs/reference/exit-codes.md.
    """
    open_missing_streams()
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
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS:
            return _execute(name, words[length:])
    if words[-1:] in ([], ["-h"], ["--help"]):
        return _list_commands(" ".join(words[:-1]))
    from windlass.cli.failures import unknown_command

    raise unknown_command(words[0], COMMANDS)


def _execute(name: str, words: list[str]) -> int:
    from windlass.cli.parser import build_parser

    module = load_command(name)
    code: int = module.execute(build_parser(name, module).parse_strictly(words))
    return code


def load_command(name: str) -> ModuleType:
    """Import the module of one command."""
    from importlib import import_module

    return import_module(COMMANDS[name][0])


def _list_commands(group: str) -> int:
    """List all commands, or those of one group, as `windlass expr --help` asks for."""
    listed = {name: line for name, (_, line) in COMMANDS.items() if f"{name} ".startswith(group)}
    if not listed:
        from windlass.cli.failures import unknown_command

        raise unknown_command(group, COMMANDS)
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {line}" for name, line in listed.items())
    write(
        sys.stdout,
        "Windlass runs a repository's own GitHub-Actions workflows anywhere.\n\n"
        "usage: windlass COMMAND [OPTIONS]\n\n"
        f"{lines}\n\n"
        "`windlass COMMAND --help` explains a command; `windlass --version` prints the version.\n",
    )
    return 0
