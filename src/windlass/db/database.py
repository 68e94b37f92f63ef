"""The file that holds local history: opened, brought up to date, and written in short transactions.

Several processes use one file at once: write-ahead logging lets readers go on while one writes, and
a writer waits for its turn. `synchronous=NORMAL` survives `kill -9` of every process; only a crash
of the whole machine can lose the last moments.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from windlass.db.migrations import MIGRATIONS
from windlass.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

BUSY_SECONDS: Final = 30.0
"""How long a writer waits for the others; each of them needs about a millisecond."""

BUSY_PAUSE_SECONDS: Final = 0.005

FULL_DISK_BYTES: Final = 64 << 10
"""With less room than this, what SQLite could not write met a full disk."""

_COMPANIONS: Final = ("", "-wal", "-shm")
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_LOWEST_BYTE: Final = 0xFF
"""What is left of an extended error code of SQLite: its kind."""


class DamagedDatabaseError(PlatformError):
    """The file is no database, or parts of it cannot be read."""

    code = "history"


class Database:
    """One connection, which threads may share; every call is a transaction of its own.

    Its methods raise DamagedDatabaseError where the file is broken, PlatformError where it cannot
    be read or written for any other reason: a full disk, for instance.
    """

    def __init__(self, path: Path) -> None:
        """Open a file, which is made where it is missing, and bring its tables up to date."""
        self.path = path
        self.is_new = False
        """Whether the file had no tables before."""
        self._lock = threading.RLock()
        self._open()

    @property
    def is_in_place(self) -> bool:
        """Whether the file is still the one that was opened: nobody has removed or replaced it."""
        return _identify(self.path) == self._identity

    def ask(self, question: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows that answer a question."""
        with self._lock, self._explained("read"):
            return self._connection.execute(question, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction, alone among all processes; an exception takes it all back."""
        with self._lock, self._explained("written"):
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def renew(self, tell: Callable[[str], None]) -> None:
        """Open the file again, which somebody has removed, replaced or damaged: `open_database`.

        Raises:
            PlatformError: it cannot be opened, or it is of a newer version of Windlass.
        """
        with self._lock:
            self.close()
            open_database(self.path, tell).close()
            self._open()

    def close(self) -> None:
        """Close the connection; what was written stays."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()

    def _open(self) -> None:
        with self._explained("opened"):
            self._connection = _connect(self.path)
            try:
                self._identity = _identify(self.path)
                self.is_new = _migrate(self._connection, self.path) == 0
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def _explained(self, deed: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _explain(error, self.path, deed) from error


def open_database(path: Path, tell: Callable[[str], None]) -> Database:
    """Open a database; one that is damaged is moved aside, which `tell` hears, and begun anew.

    Raises:
        PlatformError: it cannot be opened, or it is of a newer version of Windlass.
    """
    try:
        return Database(path)
    except DamagedDatabaseError as error:
        aside = _move_aside(path)
        if aside is not None:
            tell(f"{error.message}; it was moved to {aside} and history begins anew")
        return Database(path)


def _connect(path: Path) -> sqlite3.Connection:
    if path.exists() and not os.access(path.parent, os.W_OK):
        # Write-ahead logging needs files beside it, even to read; here nobody can be writing.
        address = f"{path.absolute().as_uri()}?immutable=1"
        return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _log_ahead(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; of several processes at once, all but one are told to wait.

    SQLite does that waiting for every statement but this one: https://sqlite.org/wal.html
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & _LOWEST_BYTE == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_PAUSE_SECONDS)
        else:
            return


def _migrate(connection: sqlite3.Connection, path: Path) -> int:
    """Carry out the migrations that are missing and return the version before.

    Of two processes at once, one does.
    """
    version = _version_of(connection)
    if version == len(MIGRATIONS):
        return version
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version_of(connection)
        if version > len(MIGRATIONS):
            raise PlatformError(
                f"{path} was written by a newer Windlass: its version is {version}, and this one "
                f"knows {len(MIGRATIONS)}",
                hint="use the newer Windlass, or move the file away and lose the list of runs",
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return version


def _version_of(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _identify(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _explain(error: sqlite3.Error, path: Path, deed: str) -> PlatformError:
    kind = getattr(error, "sqlite_errorcode", 0) & _LOWEST_BYTE
    lost_table = isinstance(error, sqlite3.OperationalError) and "no such" in str(error)
    if kind in _DAMAGE or lost_table:
        return DamagedDatabaseError(f"{path} is damaged: {error}")
    if kind == sqlite3.SQLITE_FULL or _is_full(path):
        hint = "free some room: `windlass prune` removes old runs"
        return PlatformError(f"{path} cannot be {deed}: No space left on device", hint=hint)
    hint = "Windlass keeps the history of runs there."
    reason = "Read-only file system" if _is_read_only(path) else error
    return PlatformError(f"{path} cannot be {deed}: {reason}", hint=hint)


def _is_full(path: Path) -> bool:
    """Tell whether the disk is full, which SQLite calls an I/O error at times."""
    try:
        room = os.statvfs(path.parent)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < FULL_DISK_BYTES


def _is_read_only(path: Path) -> bool:
    """Tell whether nobody can write there, of which SQLite does not say why."""
    try:
        return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _move_aside(path: Path) -> Path | None:
    """Give a damaged file and its companions another name; None where somebody else has."""
    import fcntl

    with path.with_name(f"{path.name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            Database(path).close()
        except DamagedDatabaseError:
            pass
        else:
            return None
        number = 1
        while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
            number += 1
        for companion in _COMPANIONS:
            with suppress(FileNotFoundError):
                os.replace(f"{path}{companion}", f"{aside}{companion}")  # noqa: PTH105
        return aside
