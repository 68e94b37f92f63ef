"""The exceptions Windlass raises: a broken platform or an unusable call, never a user's workflow.

    WindlassError
    ├── UsageError            the call itself cannot be understood          exit 2
    ├── InputError            a file or repository cannot be read           exit 2
    │   ├── MissingError      what was asked of a server is not there
    │   ├── ConflictError     it cannot be as things are now: taken, ended, changed meanwhile
    │   │   └── GapError      what is sent begins behind what is there
    │   ├── GoneError         it is no longer whose it was
    │   ├── StrangerError     whoever asks shows nothing that is good (any more)
    │   ├── RefusedError      whoever asks may not
    │   └── InvalidError      a value that is given cannot be used
    ├── PlatformError         the machine could not do what was asked       exit 3
    │   ├── DatabaseError     a server's database is away, full or locked: later it may do
    │   ├── GitError          git is missing, or a git command failed
    │   ├── WorkspaceError    a workspace could not be made or filled
    │   ├── DockerError       the Docker daemon is absent, went away, or refused
    │   └── ExecutorError     a process or container could not be started
    └── Cancelled             the user interrupted (BaseException family)   exit 130

A mistake in a workflow is a `windlass.lang.diagnostics.Diagnostic`, a step that fails is a result;
neither is an exception.
"""

from __future__ import annotations

from typing import ClassVar


class WindlassError(Exception):
    """Base of all errors; `code` is stable, `hint` says what to do next."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(WindlassError):
    """The command line or the call cannot be understood."""

    code = "usage"
    exit_code = 2


class InputError(WindlassError):
    """A file, a folder or a repository that was named cannot be read."""

    code = "input"
    exit_code = 2


class MissingError(InputError):
    """What was asked of a server is not there."""

    code = "missing"


class ConflictError(InputError):
    """It cannot be as things are now: a name is taken, a run has ended, another was faster."""

    code = "conflict"


class GapError(ConflictError):
    """What is sent in pieces begins behind what is there; `expected` is where it should."""

    def __init__(self, message: str, *, expected: int) -> None:
        super().__init__(message, hint=f"go on at {expected}")
        self.expected = expected


class GoneError(InputError):
    """It is no longer whose it was: a job that was given to another runner, or has ended."""

    code = "gone"


class StrangerError(InputError):
    """Whoever asks shows no token, or one that is not known, has expired or was revoked."""

    code = "unauthenticated"


class RefusedError(InputError):
    """Whoever asks may not have that, or not do it."""

    code = "refused"


class InvalidError(InputError):
    """A value that is given can be read and cannot be used."""

    code = "invalid"


class PlatformError(WindlassError):
    """The machine could not do what was asked of it."""

    code = "platform"
    exit_code = 3


class DatabaseError(PlatformError):
    """A server's database is away, full or locked; what was asked of it may be asked again."""

    code = "database"


class GitError(PlatformError):
    """Git is missing, or a git command failed."""

    code = "git"


class WorkspaceError(PlatformError):
    """A job's workspace could not be made or filled."""

    code = "workspace"


class ExecutorError(PlatformError):
    """A process or container could not be started."""

    code = "executor"


class DockerError(PlatformError):
    """The Docker daemon is absent, went away, or refused what it was asked for."""

    code = "docker"


class Cancelled(BaseException):
    """The user interrupted; a BaseException so that no `except Exception` swallows it."""

    code: ClassVar[str] = "cancelled"
    exit_code: ClassVar[int] = 130
