"""Running git: without prompts, pagers, hooks, locks or anything the caller's shell has set."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from windlass.errors import GitError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KEPT_VARIABLES = frozenset(
    {
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CEILING_DIRECTORIES",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
    }
)
"""GIT_* variables that say how the machine is set up, not which repository to look at."""

SETTINGS = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.splitIndex=false")
"""Settings that keep git from starting the user's hooks and from writing beside a scratch index."""

NO_CONFIGURATION = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "HOME": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
    "GIT_NO_LAZY_FETCH": "1",
}
"""Variables that hide what the user has set up, filters and attributes among it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a git command said: its exit code, its output and its complaint."""

    code: int
    output: bytes
    complaint: str


class Question:
    """A git command under way; several can be asked at once and their answers read afterwards."""

    def __init__(
        self, arguments: Sequence[str], process: subprocess.Popen[bytes], text: bytes | None
    ) -> None:
        self._arguments = arguments
        self._process = process
        self._text = text

    def answer(self, patience: float | None = None) -> Answer:
        """Wait for the end and return what git said, whatever the exit code.

        After `patience` seconds git is killed, which is an exit code below 0.
        """
        process = self._process
        try:
            output, complaint = process.communicate(self._text, timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            # Not read to the end: helpers of git may hold them open for minutes.
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            code = process.wait()
            return Answer(code, b"", f"there was no answer within {patience:g} seconds")
        return Answer(self._process.returncode, output, decode(complaint).strip())

    def output(self) -> bytes:
        """Wait for the end and return the output.

        Raises:
            GitError: git did not exit with 0.
        """
        answer = self.answer()
        if answer.code != 0:
            raise complain(self._arguments, answer)
        return answer.output


def ask(
    arguments: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    text: bytes | None = None,
    files: Sequence[int] = (),
) -> Question:
    """Start a git command in a folder; `variables` are added to its clean environment.

    `text` is what it reads from its standard input; `files` are open ones of ours that it keeps
    open as long as it lives.

    Raises:
        GitError: there is no git on this machine, or the folder cannot be entered.
    """
    process = start(
        arguments, folder=folder, variables=variables, has_input=text is not None, files=files
    )
    return Question(arguments, process, text)


def start(
    arguments: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    has_input: bool = False,
    files: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a git command, whose standard output and error are pipes, and its input if it has one.

    `variables` and `files` are those of `ask`, which is what starts most of them.

    Raises:
        GitError: there is no git on this machine, or the folder cannot be entered.
    """
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    try:
        return subprocess.Popen(
            ["git", *settings, *arguments],
            cwd=folder,
            env=make_environment(variables or {}),
            stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=files,
        )
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise GitError(f"{folder} is not a folder") from error
        raise GitError(
            "git is not installed, or not on PATH", hint="install git 2.30 or newer"
        ) from error
    except OSError as error:
        raise GitError(f"git could not be started in {folder}: {error.strerror}") from error


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    text: bytes | None = None,
) -> bytes:
    """Run a git command to its end and return its output; `text` is its standard input.

    Raises:
        GitError: git is missing or did not exit with 0.
    """
    return ask(arguments, folder=folder, variables=variables, text=text).output()


def run_apart(
    arguments: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    text: bytes | None = None,
) -> bytes:
    """Run a git command without any configuration of the user's, in a bare repository.

    `variables` take the place of the one that says that `folder` is that repository; `text` is its
    standard input.

    Raises:
        GitError: git is missing or did not exit with 0.
    """
    own = {"GIT_DIR": str(folder)} if variables is None else variables
    return run(arguments, folder=folder, variables={**NO_CONFIGURATION, **own}, text=text)


def complain(arguments: Sequence[str], answer: Answer) -> GitError:
    """Make the error for a git command that failed, in git's own words."""
    said = answer.complaint.removeprefix("fatal: ") or f"exit code {answer.code}"
    words = iter(arguments)
    command = next(words)
    while command == "-c":
        next(words)
        command = next(words)
    return GitError(f"git {command} failed: {said}")


def make_environment(additions: Mapping[str, str]) -> dict[str, str]:
    """Return the variables git runs with: ours, minus whatever points it at another repository."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in KEPT_VARIABLES
    }
    environment.update(
        LC_ALL="C",
        GIT_OPTIONAL_LOCKS="0",
        GIT_TERMINAL_PROMPT="0",
        GIT_PAGER="cat",
        GIT_NO_REPLACE_OBJECTS="1",
    )
    environment.update(additions)
    return environment


def decode(data: bytes) -> str:
    """Decode what git said: UTF-8, with any other byte kept as a surrogate (as `os.fsdecode`)."""
    return data.decode("utf-8", "surrogateescape")
