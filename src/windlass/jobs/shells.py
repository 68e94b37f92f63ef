"""Which program runs a script, with which arguments, from which file.

Source: actions/runner src/Runner.Worker/Handlers/ScriptHandler.cs, ScriptHandlerHelpers.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.jobs.command import StepError
from windlass.lang.command_lines import split_arguments
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE_OF_SCRIPT = "{0}"
_NO_PATH = "\0"
"""Stands for the script's path while a line is split; no path and no argument can hold it."""
INVALID_SHELL = (
    "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) or a "
    "format string containing '{0}'"
)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A shell that is known by its name alone."""

    arguments: str
    extension: str


BUILT_INS = {
    "bash": BuiltIn("--noprofile --norc -e -o pipefail {0}", ".sh"),
    "cmd": BuiltIn('/D /E:ON /V:OFF /S /C "CALL "{0}""', ".cmd"),
    "powershell": BuiltIn("-command \". '{0}'\"", ".ps1"),
    "pwsh": BuiltIn("-command \". '{0}'\"", ".ps1"),
    "python": BuiltIn("{0}", ".py"),
    "sh": BuiltIn("-e {0}", ".sh"),
}


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell on this machine: `program` is its full path, `arguments` a line with `{0}`."""

    name: str
    program: str
    arguments: str

    @property
    def extension(self) -> str:
        """What the name of a script file ends with."""
        known = BUILT_INS.get(self.name.lower())
        return known.extension if known else ""

    def command(self, script: str) -> list[str]:
        """Return the command that runs a script file, whose path may have blanks and quotes.

        The runner puts the path in before it splits the line, so its scripts cannot lie in such a
        folder; a user's repository may.
        """
        if self.name.lower() in ("powershell", "pwsh"):
            script = script.replace("'", "''")
        words = split_arguments(_format(self.arguments, _NO_PATH))
        return [self.program, *(word.replace(_NO_PATH, script) for word in words)]


class ShellError(StepError):
    """There is no such shell, or its option cannot be understood: the step fails."""


def resolve_shell(option: str | None, find_program: Callable[[str], str | None]) -> Shell:
    """Return the shell for a step; without an option that is bash, or sh where there is no bash.

    Raises:
        ShellError: with the runner's message.
    """
    if not option:
        program = find_program("bash") or _require("sh", find_program)
        return Shell("sh", program, BUILT_INS["sh"].arguments)
    name, _, rest = option.partition(" ")
    program = _require(name, find_program)
    known = BUILT_INS.get(name.lower())
    arguments = rest.lstrip() or (known.arguments if known else "")
    if PLACE_OF_SCRIPT not in arguments:
        raise ShellError(INVALID_SHELL)
    _format(arguments, "")
    return Shell(name, program, arguments)


def fix_up_script(shell: str, script: str) -> str:
    """Return the text of the script file: PowerShell stops at errors and passes exit codes on."""
    if shell == "cmd":
        return f"@echo off\n{script}"
    if shell in ("powershell", "pwsh"):
        ending = "if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }"
        return f"$ErrorActionPreference = 'stop'\n{script}\n{ending}"
    return script


def _require(name: str, find_program: Callable[[str], str | None]) -> str:
    program = find_program(name)
    if program is None:
        raise ShellError(f"{name}: command not found")
    return program


def _format(arguments: str, script: str) -> str:
    """Fill in the script's path as .NET's String.Format does: `{{` and `}}` are braces.

    Raises:
        ShellError: there is another placeholder, or a lone brace.
    """
    parts: list[str] = []
    position = 0
    while position < len(arguments):
        if arguments.startswith(("{{", "}}"), position):
            parts.append(arguments[position])
            position += 2
        elif arguments.startswith(PLACE_OF_SCRIPT, position):
            parts.append(script)
            position += len(PLACE_OF_SCRIPT)
        elif arguments[position] in "{}":
            raise ShellError(
                f"Invalid shell option '{arguments}': only '{{0}}' may stand in braces; a brace "
                "itself is written twice"
            )
        else:
            parts.append(arguments[position])
            position += 1
    return "".join(parts)
