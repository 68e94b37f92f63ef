"""The command files of one step on disk: made before it starts, read when it has ended.

Source: actions/runner src/Runner.Worker/FileCommandManager.cs
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from windlass.jobs.command_handlers import BLOCKED_VARIABLES
from windlass.jobs.files import FolderError, UnusableFileError, read_bounded
from windlass.lang.command_files import (
    SUMMARY_LIMIT_BYTES,
    decode_file,
    parse_entries,
    parse_lines,
)
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.jobs.command_handlers import StepEffects

LARGEST_FILE_BYTES = 64 << 20
"""GitHub has no such limit; a step must not be able to exhaust our memory."""

LARGEST_PATH_BYTES = 128 << 10
"""No process can be given more than this as its PATH (MAX_ARG_STRLEN, execve(2))."""

_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

_PREFIXES = {
    "path": "add_path_",
    "env": "set_env_",
    "step_summary": "step_summary_",
    "state": "save_state_",
    "output": "set_output_",
    "artifacts": "artifacts_",
    "artifacts_list": "artifacts_list_",
}


@dataclass(frozen=True, slots=True)
class StepFiles:
    """One file per kind, by the key it has in the github context.

    `paths` is where Windlass finds them, `inside` where the step does.
    """

    paths: dict[str, str]
    inside: dict[str, str]

    @classmethod
    def make(cls, folder: Path, suffix: str, inside: Path, subjects: str = "") -> StepFiles:
        """Make empty files; a step that went before has others, with another suffix.

        `inside` is what the folder is called in the job. `subjects` are those that the job has so
        far: the one file that is not empty.

        Raises:
            OSError: a file cannot be made.
        """
        paths = {key: f"{folder}/{prefix}{suffix}" for key, prefix in _PREFIXES.items()}
        for path in paths.values():
            os.close(os.open(path, _MAKE, 0o666))
        if subjects:
            with open(paths["artifacts_list"], "w", encoding="utf-8") as file:  # noqa: PTH123
                file.write(subjects)
        names = {key: f"{inside}/{prefix}{suffix}" for key, prefix in _PREFIXES.items()}
        return cls(paths, names)

    def remove(self) -> None:
        """Remove what is left of the files."""
        for path in self.paths.values():
            try:
                os.unlink(path)  # noqa: PTH108 - seven for every step
            except OSError:
                continue  # a step made a folder of it; it goes with the job's folder

    def context(self) -> dict[str, str]:
        """Return the keys of the github context that name the files."""
        return dict(self.inside)


def read_effects(
    files: StepFiles, effects: StepEffects, tell: Callable[[str, str], None]
) -> str | None:
    """Add what the files say to the effects; return the step's summary, unmasked.

    `tell(level, message)` reports a mistake: an `error`, or `debug`.
    """
    for key, read in (
        ("path", _read_paths),
        ("env", _read_variables),
        ("state", _read_states),
        ("output", _read_outputs),
    ):
        try:
            read(files.paths[key], effects, tell)
        except (UnusableFileError, OSError) as error:
            effects.failed = True
            tell("error", f"Unable to process file command '{key}' successfully.")
            tell("error", error.strerror or "" if isinstance(error, OSError) else str(error))
    return _read_summary(files.paths["step_summary"], tell)


def _read_paths(path: str, effects: StepEffects, _: Callable[[str, str], None]) -> None:
    data = _read_unless_folder(path, LARGEST_PATH_BYTES)
    for line in parse_lines(decode_file(data or b"")):
        effects.add_path(line)


def _read_variables(path: str, effects: StepEffects, tell: Callable[[str, str], None]) -> None:
    pairs, problem = _read_entries(path, tell)
    for name, value in pairs:
        if name.lower() in BLOCKED_VARIABLES:
            blocked = name.upper()
            tell("error", f"Can't store {blocked} output parameter using '$GITHUB_ENV' command.")
        else:
            effects.variables[name] = value
            tell("debug", f"{name}='{value}'")
    if problem:
        raise UnusableFileError(problem)


def _read_states(path: str, effects: StepEffects, tell: Callable[[str, str], None]) -> None:
    pairs, problem = _read_entries(path, tell)
    for name, value in pairs:
        effects.state[name] = value
        tell("debug", f"Save intra-action state {name} = {value}")
    if problem:
        raise UnusableFileError(problem)


def _read_outputs(path: str, effects: StepEffects, tell: Callable[[str, str], None]) -> None:
    pairs, problem = _read_entries(path, tell)
    for name, value in pairs:
        if not name:
            raise UnusableFileError("Value cannot be null. (Parameter 'name')")
        effects.outputs[name] = value
        tell("debug", f"Set output {name} = {value}")
    if problem:
        raise UnusableFileError(problem)


def _read_entries(
    path: str, tell: Callable[[str, str], None]
) -> tuple[tuple[tuple[str, str], ...], str | None]:
    data = read_bounded(path, LARGEST_FILE_BYTES, follow=False)
    if data is None:
        tell("debug", f"File does not exist '{path}'")
        return (), None
    entries = parse_entries(decode_file(data))
    return entries.pairs, entries.problem


def _read_summary(path: str, tell: Callable[[str, str], None]) -> str | None:
    """Return the summary; a fault of it is an error, but does not fail the step."""
    try:
        data = _read_unless_folder(path, LARGEST_FILE_BYTES)
    except (UnusableFileError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        tell("error", f"Failed to create step summary using 'GITHUB_STEP_SUMMARY': {reason}")
        return None
    if not data:
        return None
    if len(data) > SUMMARY_LIMIT_BYTES:
        tell(
            "error",
            "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of "
            f"{SUMMARY_LIMIT_BYTES // 1024}k, got {len(data) // 1024}k. For more information see: "
            "https://docs.github.com/actions/using-workflows/"
            "workflow-commands-for-github-actions#adding-a-markdown-summary",
        )
        return None
    return decode_file(data)


def _read_unless_folder(path: str, limit: int) -> bytes | None:
    """Read a file; a folder in its place is empty, as the runner has it."""
    try:
        return read_bounded(path, limit, follow=False)
    except FolderError:
        return b""
