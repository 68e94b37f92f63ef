"""What the command line says when it cannot go on: one line, a hint, never a traceback."""

from __future__ import annotations

import os
import sys
from errno import EACCES, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM
from typing import TYPE_CHECKING

from windlass.cli.terminal import open_terminal, visible
from windlass.errors import Cancelled, InputError, PlatformError, UsageError, WindlassError

if TYPE_CHECKING:
    from collections.abc import Iterable

UNEXPECTED_EXIT_CODE = 3
_UNREADABLE = (ENOENT, EACCES, EPERM, EISDIR, ENOTDIR, ELOOP, ENAMETOOLONG)
USAGE_EXIT_CODE = 2
_SERVER_EXTRA = frozenset(
    [
        "alembic",
        "cronsim",
        "cryptography",
        "dbos",
        "httpx",
        "opentelemetry",
        "prometheus_client",
        "psycopg",
        "pydantic",
        "pydantic_core",
        "sqlalchemy",
        "starlette",
        "uvicorn",
        "uvloop",
        "wsproto",
    ]
)
"""The modules of `windlass[server]`."""


def report_failure(error: BaseException) -> int:
    """Say on stderr what went wrong and return the exit code that belongs to it."""
    if isinstance(error, SystemExit):
        return _code_of_exit(error)
    if isinstance(error, Cancelled):
        return Cancelled.exit_code
    if isinstance(error, OSError):
        error = _explain(error)
    elif isinstance(error, ModuleNotFoundError):
        error = _explain_missing(error)
    if isinstance(error, WindlassError):
        say_error(error.message, error.hint)
        return error.exit_code
    say_error(*_describe_unexpected(error))
    return UNEXPECTED_EXIT_CODE


def suggest(word: str, known: Iterable[str]) -> str | None:
    """Return `did you mean …?` for the nearest known words, or None where none is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else None


def unknown_command(name: str, known: Iterable[str]) -> UsageError:
    """Build the error for a command that does not exist."""
    what = "option" if name.startswith("-") else "command"
    group = [command for command in known if command.startswith(f"{name} ")]
    hint = f"did you mean {' or '.join(group)}?" if group else suggest(name, known)
    hint = hint or "`windlass help` lists the commands"
    return UsageError(f"there is no {what} {name!r}", hint=hint)


def _code_of_exit(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else USAGE_EXIT_CODE


def _explain(error: OSError) -> WindlassError:
    """Tell a file that cannot be read, which the user can change, from a machine in trouble."""
    problem = error.strerror or type(error).__name__
    if error.filename is None:
        return PlatformError(f"the system refused: {problem}")
    name = error.filename
    name = os.fsdecode(name) if isinstance(name, str | bytes) else str(name)
    kind = InputError if error.errno in _UNREADABLE else PlatformError
    return kind(f"{name}: {problem}")


def _explain_missing(error: ModuleNotFoundError) -> Exception:
    """Say what to install where a command needs what only the server extra brings."""
    name = (error.name or "").partition(".")[0]
    if name not in _SERVER_EXTRA:
        return error
    return PlatformError(
        f"this needs {name}, which is not installed", hint="pip install 'windlass[server]'"
    )


def _describe_unexpected(error: BaseException) -> tuple[str, str]:
    """Name an exception nobody foresaw; its traceback goes to a file when that was asked for."""
    message = f"unexpected {type(error).__name__}: {error}"
    if os.environ.get("WINDLASS_DEBUG", "") in ("", "0"):
        return message, "this is a fault of Windlass; WINDLASS_DEBUG=1 writes the details to a file"
    return message, f"the traceback is in {_write_traceback(error)}"


def _write_traceback(error: BaseException) -> str:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="windlass-", suffix=".traceback", delete=False, encoding="utf-8"
    ) as file:
        file.writelines(traceback.format_exception(error))
    return file.name


def say_error(message: str, hint: str | None) -> None:
    """Write an error in one line, and below it what to do next."""
    terminal = open_terminal(sys.stderr)
    lines = [f"{terminal.paint('windlass: error:', 'bold', 'red')} {_on_one_line(message)}"]
    if hint is not None:
        lines.append(f"{terminal.paint('hint:', 'cyan')} {visible(hint)}")
    terminal.write("\n".join(lines) + "\n")


def say_warning(message: str) -> None:
    """Write in one line what somebody should know."""
    terminal = open_terminal(sys.stderr)
    terminal.write(f"{terminal.paint('warning:', 'yellow')} {_on_one_line(message)}\n")


def _on_one_line(message: str) -> str:
    return visible("; ".join(line.strip() for line in message.splitlines() if line.strip()))
