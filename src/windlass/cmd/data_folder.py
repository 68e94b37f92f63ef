"""The folder of a server: its database, mirrors, logs, blobs and keys.

Several servers may share it where they share a PostgreSQL; a file of SQLite has one server.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, Final

from windlass.errors import InputError, PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DATABASE: Final = "windlass.db"
LOCK: Final = "lock"
DATABASE_VARIABLE: Final = "WINDLASS_DATABASE_URL"
_SQLITE: Final = "sqlite"


def prepare_data_folder(path: Path) -> Path:
    """Make the folder, for its owner alone, and return its full path.

    Raises:
        PlatformError: it cannot be made.
        InputError: it is a file, or others may write to it.
    """
    path = path.expanduser().resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = path.stat().st_mode
    except FileExistsError as error:
        raise InputError(f"{path} is no folder", hint="give one with --data DIR") from error
    except OSError as error:
        raise PlatformError(
            f"{path} cannot be made: {error.strerror}", hint="give another one with --data DIR"
        ) from error
    if mode & 0o022:
        raise InputError(f"others than its owner may write to {path}", hint=f"chmod go-w {path}")
    return path


def find_database(data: Path, given: str | None, variables: Mapping[str, str]) -> str:
    """Return the address of the database: what was given, else a file in the folder."""
    return given or variables.get(DATABASE_VARIABLE) or f"sqlite:///{data / DATABASE}"


@contextlib.contextmanager
def holding_data_folder(data: Path) -> Iterator[None]:
    """Keep other servers from the folder meanwhile.

    Raises:
        InputError: another server has it.
        PlatformError: it cannot be locked.
    """
    try:
        handle = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PlatformError(f"{data / LOCK} cannot be opened: {error.strerror}") from error
    try:
        _lock(handle, data)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def holding_database(data: Path, database: str) -> Iterator[None]:
    """Keep other servers from a file of SQLite meanwhile; those of PostgreSQL share theirs.

    Raises:
        InputError: another server has it.
        PlatformError: the folder cannot be locked.
    """
    if not database.startswith(_SQLITE):
        yield
        return
    with holding_data_folder(data):
        yield


def _lock(handle: int, data: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(
            f"another server has {data}",
            hint="several share a PostgreSQL: --database postgresql://USER:PASSWORD@HOST/NAME",
        ) from error
