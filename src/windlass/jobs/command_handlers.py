"""What each runner command does.

Source: actions/runner src/Runner.Worker/ActionCommandManager.cs
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.jobs.annotations import ANNOTATION_LEVELS, make_properties
from windlass.jobs.matchers.matchers import JobMatchers
from windlass.lang.commands import parse_command
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from windlass.jobs.log import StepLog
    from windlass.lang.commands import RunnerCommand

STOP = "stop-commands"
LONGEST_UNMASKED_TOKEN = 6
ALLOW_UNSECURE = "ACTIONS_ALLOW_UNSECURE_COMMANDS"
ALLOW_UNSECURE_TOKENS = "ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS"
BLOCKED_VARIABLES = frozenset({"node_options"})

DEPRECATED = (
    "The `{}` command is deprecated and will be disabled soon. Please upgrade to using Environment "
    "Files. For more information see: https://github.blog/changelog/"
    "2022-10-11-github-actions-deprecating-save-state-and-set-output-commands/"
)
DISABLED = (
    "The `{}` command is disabled. Please upgrade to using Environment Files or opt into unsecure "
    "command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to "
    "`true`. For more information see: https://github.blog/changelog/"
    "2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/"
)
TOKEN_REFUSED = (
    "You cannot use a endToken that is an empty string, the string 'pause-logging', or another "
    "workflow command. For more information see: https://docs.github.com/actions/"
    "learn-github-actions/workflow-commands-for-github-actions"
    "#example-stopping-and-starting-workflow-commands or opt into insecure command execution by "
    "setting the `ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS` environment variable to `true`."
)


ABOUT_MATCHERS = (
    "Problem matchers scan action output for known warning or error strings and report these "
    "inline."
)
BOTH_GIVEN = (
    "Either specify an owner name or a file path in ##[remove-matcher] command. Both values cannot "
    "be set."
)
NONE_GIVEN = "Either an owner name or a file path must be specified in ##[remove-matcher] command."


class CommandError(Exception):
    """A command that cannot be carried out; the step that gave it fails."""


@dataclass(slots=True)
class StepEffects:
    """What a step has set so far, by runner commands and command files.

    `paths` are in the order they were added; the last is the first in PATH. `state` is what the
    later stages of an action get. `failed` is true once
    a command or a command file could not be processed: the step fails whatever its exit code.
    """

    outputs: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)
    failed: bool = False

    def add_path(self, path: str) -> None:
        """Add a folder to PATH; one that was added before moves to the front."""
        if path in self.paths:
            self.paths.remove(path)
        self.paths.append(path)


class CommandHandler:
    """Carries out the runner commands of one step.

    `annotate(level, message, properties)` tells of an error, a warning or a notice. `variables` is
    the step's `env` context; `workspace` makes the file names of annotations relative. `matchers`
    are the problem matchers of the job; `see` tells where this process finds a path of the job.
    """

    def __init__(
        self,
        log: StepLog,
        effects: StepEffects,
        annotate: Callable[[str, str, Mapping[str, str]], None],
        *,
        variables: Mapping[str, str],
        workspace: str,
        debug: bool,
        matchers: JobMatchers | None = None,
        see: Callable[[Path], Path] = lambda path: path,
    ) -> None:
        self._log = log
        self._effects = effects
        self._annotate = annotate
        self._variables = variables
        self._workspace = workspace
        self._matchers = matchers or JobMatchers()
        self._see = see
        self._debugging = debug
        self._echo = debug
        self._token: str | None = None
        self._registered = {*COMMANDS, *ANNOTATION_LEVELS, STOP}

    def find(self, line: str) -> Callable[[], None] | None:
        """Return what carries out the command in a line; None where the line is plain output."""
        command = parse_command(line, self._registered)
        if command is None:
            return None
        name = command.name.lower()
        if self._token is not None:
            # Only the token is a command now.
            is_token = bool(self._token) and name == self._token
            return functools.partial(self._resume, line) if is_token else None
        if name == STOP:
            return functools.partial(self._stop, command, line)
        return functools.partial(self._handle, name, command, line)

    def refuse(self, beginning: str) -> bool:
        """Fail the step if the beginning of an endless line is that of a command."""
        command = parse_command(beginning, self._registered)
        if command is None or self._token is not None:
            return False
        self._fail(f"Unable to process command '{command.name}': its line is too long.")
        return True

    def debug(self, message: str) -> None:
        """Write a message that only a debugging run shows."""
        if self._debugging:
            for line in message.replace("\r\n", "\n").split("\n"):
                self._log.write_line(f"##[debug]{line}")

    def _handle(self, name: str, command: RunnerCommand, line: str) -> None:
        if self._echo and name not in QUIET:
            self._log.write_line(line)
        try:
            self._carry_out(name, command)
        except CommandError as error:
            shown = command.name if name in QUIET else line
            self._fail(f"Unable to process command '{shown}' successfully.", str(error))

    def _carry_out(self, name: str, command: RunnerCommand) -> None:
        if name in ANNOTATION_LEVELS:
            properties = make_properties(command, self._workspace, self.debug)
            self._annotate(name, command.data, properties)
        else:
            COMMANDS[name](self, command)

    def _fail(self, *messages: str) -> None:
        for message in messages:
            self._annotate("error", message, {})
        self._effects.failed = True

    def _stop(self, command: RunnerCommand, line: str) -> None:
        token = command.data
        refused = not token or token.lower() in {*self._registered, "pause-logging"}
        if refused and not self._allows(ALLOW_UNSECURE_TOKENS):
            self._fail(TOKEN_REFUSED)
            return
        self._token = token.lower()
        self._registered.add(self._token)
        if len(token) > LONGEST_UNMASKED_TOKEN:
            self._log.masker.add_text(token)
        self._log.write_line(line)

    def _resume(self, line: str) -> None:
        self._log.write_line(line)
        self._registered = {*COMMANDS, *ANNOTATION_LEVELS, STOP}
        self._token = None

    def _allows(self, variable: str) -> bool:
        return self._variables.get(variable, "").strip().lower() == "true"

    def _set_output(self, command: RunnerCommand) -> None:
        self._annotate("warning", DEPRECATED.format(command.name), {})
        name = _require_name(command)
        self._effects.outputs[name] = command.data
        self.debug(f"Set output {name} = {command.data}")

    def _save_state(self, command: RunnerCommand) -> None:
        self._annotate("warning", DEPRECATED.format(command.name), {})
        name = _require_name(command)
        self._effects.state[name] = command.data
        self.debug(f"Save intra-action state {name} = {command.data}")

    def _set_variable(self, command: RunnerCommand) -> None:
        self._require_unsecure(command)
        name = _require_name(command)
        if name.lower() in BLOCKED_VARIABLES:
            text = f"Can't update {name.upper()} environment variable using ::set-env:: command."
            self._annotate("error", text, {})
            return
        self._effects.variables[name] = command.data
        self.debug(f"{name}='{command.data}'")

    def _add_path(self, command: RunnerCommand) -> None:
        self._require_unsecure(command)
        if not command.data:
            raise CommandError("Value cannot be null. (Parameter 'path')")
        self._effects.add_path(command.data)

    def _require_unsecure(self, command: RunnerCommand) -> None:
        if not self._allows(ALLOW_UNSECURE):
            raise CommandError(DISABLED.format(command.name))

    def _add_mask(self, command: RunnerCommand) -> None:
        if not command.data.strip():
            text = "Can't add secret mask for empty string in ##[add-mask] command."
            self._annotate("warning", text, {})
            return
        if self._echo:
            self._log.write_line("::add-mask::***")
        self._log.masker.add_text(command.data)
        self._log.masker.add(command.data)

    def _print_debug(self, command: RunnerCommand) -> None:
        self.debug(command.data)

    def _group(self, command: RunnerCommand) -> None:
        self._log.write_line(f"##[group]{command.data}")

    def _end_group(self, _: RunnerCommand) -> None:
        self._log.write_line("##[endgroup]")

    def _set_echo(self, command: RunnerCommand) -> None:
        match command.data.strip().lower():
            case "on":
                self._echo = True
            case "off":
                self._echo = False
            case "":
                raise CommandError("Value cannot be null. (Parameter 'value')")
            case _:
                raise CommandError(
                    "Invalid echo command value. Possible values can be: 'on', 'off'. "
                    f"Current value is: '{command.data}'."
                )

    def _add_matchers(self, command: RunnerCommand) -> None:
        if not command.data:
            self._annotate("warning", "File path must be specified.", {})
        elif found := self._read_matchers(command.data):
            self._matchers.add(found)
            self.debug(f"Added matchers: {_quote(found)}. {ABOUT_MATCHERS}")

    def _remove_matchers(self, command: RunnerCommand) -> None:
        owner = command.get("owner")
        if bool(owner) == bool(command.data):
            self._annotate("warning", BOTH_GIVEN if owner else NONE_GIVEN, {})
            return
        unwanted = [{"owner": owner}] if owner else self._read_matchers(command.data)
        gone = self._matchers.remove(str(it["owner"]) for it in unwanted)
        self.debug(f"Removed matchers: {_quote({'owner': it} for it in gone)}")

    def _read_matchers(self, file: str) -> list[dict[str, Any]]:
        # Imported only where there are any.
        from windlass.jobs.matchers.files import MatcherFileError, read_matchers

        path = os.path.join(self._workspace, file)  # noqa: PTH118 - an absolute one stands alone
        try:
            return read_matchers(self._see(Path(path)), path)
        except MatcherFileError as error:
            raise CommandError(str(error)) from error


def _quote(matchers: Iterable[Mapping[str, str]]) -> str:
    return ", ".join(f"'{it['owner']}'" for it in matchers)


def _require_name(command: RunnerCommand) -> str:
    name = command.get("name")
    if not name:
        raise CommandError(f"Required field 'name' is missing in ##[{command.name}] command.")
    return name


# Private methods of the class above; the table is part of it.
COMMANDS: Mapping[str, Callable[[CommandHandler, RunnerCommand], None]] = {
    "add-mask": CommandHandler._add_mask,  # noqa: SLF001
    "add-matcher": CommandHandler._add_matchers,  # noqa: SLF001
    "add-path": CommandHandler._add_path,  # noqa: SLF001
    "debug": CommandHandler._print_debug,  # noqa: SLF001
    "echo": CommandHandler._set_echo,  # noqa: SLF001
    "endgroup": CommandHandler._end_group,  # noqa: SLF001
    "group": CommandHandler._group,  # noqa: SLF001
    "remove-matcher": CommandHandler._remove_matchers,  # noqa: SLF001
    "save-state": CommandHandler._save_state,  # noqa: SLF001
    "set-env": CommandHandler._set_variable,  # noqa: SLF001
    "set-output": CommandHandler._set_output,  # noqa: SLF001
}

QUIET = frozenset({"add-mask", "debug", *ANNOTATION_LEVELS})
"""Commands that `echo on` does not echo: they print by themselves, or must not be printed."""
