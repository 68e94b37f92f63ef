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
    from typing import Any

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
    "backup": ("windlass.cmd.backup", "write a server's database and files into one file"),
    "restore": ("windlass.cmd.restore", "put a backup back, into an empty folder and database"),
    "migrate": ("windlass.cmd.migrate", "bring a server's tables up to date, or say how"),
    "keys rotate": ("windlass.cmd.rotate_keys", "seal a server's secrets under a new key"),
    "login": ("windlass.cli.hosted.login", "keep a server's address and a token for it"),
    "server info": ("windlass.cli.hosted.login:ShowServer", "say what a server is"),
    "watch": ("windlass.cli.hosted.watch", "show a run of a server until it has ended"),
    "stats": ("windlass.cli.hosted.stats", "show how a server's workflows did lately"),
    "dispatch": ("windlass.cli.hosted.dispatch", "start a workflow on a server by hand"),
    "events send": (
        "windlass.cli.hosted.dispatch:SendEvent",
        "tell a server's repository of an event",
    ),
    "runs delete": ("windlass.cli.hosted.runs:DeleteRun", "have a server forget a run"),
    "repos list": (
        "windlass.cli.hosted.repositories:ListRepositories",
        "list a server's repositories",
    ),
    "repos add": (
        "windlass.cli.hosted.repositories:AddRepository",
        "make a repository known to a server",
    ),
    "repos show": (
        "windlass.cli.hosted.repositories:ShowRepository",
        "show one, with its settings",
    ),
    "repos set": ("windlass.cli.hosted.repositories:SetRepository", "change its settings"),
    "repos remove": ("windlass.cli.hosted.repositories:RemoveRepository", "forget it"),
    "repos webhook": (
        "windlass.cli.hosted.repositories:RenewWebhook",
        "make a new secret for its webhooks",
    ),
    "repos hook": ("windlass.cli.hosted.hook", "tell a server at once of pushes to a repository"),
    "hook send": ("windlass.cli.hook", "tell a server what was pushed; Git runs it"),
    "repos deliveries": (
        "windlass.cli.hosted.repositories:ListDeliveries",
        "list what the server was told of it",
    ),
    "secrets list": ("windlass.cli.hosted.values:ListSecrets", "list a repository's secrets"),
    "secrets set": ("windlass.cli.hosted.values:SetSecret", "set one"),
    "secrets remove": ("windlass.cli.hosted.values:RemoveSecret", "forget one"),
    "variables list": ("windlass.cli.hosted.values:ListVariables", "list a repository's variables"),
    "variables set": ("windlass.cli.hosted.values:SetVariable", "set one"),
    "variables remove": ("windlass.cli.hosted.values:RemoveVariable", "forget one"),
    "runners list": ("windlass.cli.hosted.runners:ListRunners", "list a server's runners"),
    "runners show": ("windlass.cli.hosted.runners:ShowRunner", "show one"),
    "runners token": (
        "windlass.cli.hosted.runners:CreateRegistration",
        "make a token for a new runner",
    ),
    "runners drain": ("windlass.cli.hosted.runners:DrainRunner", "let one end its jobs and leave"),
    "runners revoke": ("windlass.cli.hosted.runners:RevokeRunner", "shut one out"),
    "runners remove": ("windlass.cli.hosted.runners:RemoveRunner", "forget one"),
    "tokens list": ("windlass.cli.hosted.tokens:ListTokens", "list a server's access tokens"),
    "tokens create": ("windlass.cli.hosted.tokens:CreateToken", "make one"),
    "tokens revoke": ("windlass.cli.hosted.tokens:RevokeToken", "have one not count any more"),
    "completion": ("windlass.cli.completion", "print a completion script for a shell"),
}
"""Command → its module, or `MODULE:CLASS` of several in one, which has `add_arguments(parser)` and
`execute(arguments) -> exit code`, and one line that says what it does. In the order of the help."""

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


def load_command(name: str) -> Any:
    """Import one command."""
    from importlib import import_module

    module, _, member = COMMANDS[name][0].partition(":")
    found = import_module(module)
    return getattr(found, member) if member else found


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
