"""The database of a server: SQLite in a file, or PostgreSQL.

SQLAlchemy makes the connections and keeps them in pools, from which each thread takes its own;
statements go to the driver itself, for they are plain SQL and what SQLAlchemy would add to each
takes longer than most of them. In SQLite one transaction writes at a time and others wait for it,
as in `windlass.db.database`.

Source: https://docs.sqlalchemy.org/en/20/dialects/sqlite.html
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from windlass.db.lineage import upgrade
from windlass.errors import DatabaseError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from windlass.db.connections import Connection, Rows

BUSY_SECONDS: Final = 30
POOL_SIZE: Final = 20
MOST_CONNECTIONS: Final = 40
MOST_READING: Final = 10
"""Connections to PostgreSQL that only read; in SQLite the others do."""

_SECONDS_TO_CONNECT: Final = 10
IDLE_SECONDS: Final = 6
"""So long a transaction may do nothing: whoever stops within one must not hold its locks."""

LOCK_SECONDS: Final = 15
"""So long a statement of PostgreSQL's waits for what another transaction has locked."""

_POSTGRESQL_OPTIONS: Final = {
    "connect_timeout": _SECONDS_TO_CONNECT,
    # A server whose machine is gone is noticed after this, and not after two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    # A machine without a locale makes databases that know of no encoding: their texts are UTF-8.
    "client_encoding": "utf8",
}
_SKIP_LOCKED: Final = " FOR UPDATE SKIP LOCKED"
_KINDS: Final = ("sqlite", "postgresql")


class ConnectionCount(NamedTuple):
    """Connections to a database that this process has, and how many it may have."""

    in_use: int
    idle: int
    limit: int


class ServerDatabase:
    """See `windlass.db.connections.Store`; may be used from any number of threads."""

    def __init__(self, address: str) -> None:
        """Open a database and bring its tables up to date.

        `address` is `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.

        Raises:
            InputError: it is neither.
            DatabaseError: it cannot be reached.
            PlatformError: it is of a newer version of Windlass.
        """
        url = _read_address(address)
        self.name = url.render_as_string(hide_password=True)
        self.kind = url.get_backend_name()
        """`sqlite` or `postgresql`."""
        self._engine = _make_engine(url)
        self._reading = self._engine if self.kind == "sqlite" else _make_reading_engine(url)
        self._faults: Any = self._engine.dialect.loaded_dbapi.Error
        self._open = threading.local()
        # Who waits for SQLite itself asks for its lock every 0.1 s: some wait for many seconds.
        self._turn = threading.RLock() if self.kind == "sqlite" else nullcontext()
        try:
            with self._explained("opened"), self._engine.begin() as connection:
                upgrade(connection)
        except BaseException:
            self.close()
            raise

    def ask(self, question: str, values: Sequence[Any] = ()) -> Sequence[Any]:
        """Return all rows that answer a question.

        Within a transaction of the same thread they are what that one sees: if each that writes
        needed a second connection to read, those who have one could wait for each other for ever.
        """
        writing: _Writing | None = getattr(self._open, "connection", None)
        with self._explained("read"):
            if writing is not None:
                return writing.execute(question, values).fetchall()
            statement, given = self._spell(question), _bind(values)
            try:
                return self._read(statement, given)
            except _LostConnectionError:
                # All that were kept are as old: the database was started again meanwhile.
                self._reading.dispose()
                return self._read(statement, given)

    def _read(self, statement: str, values: tuple[Any, ...]) -> Sequence[Any]:
        """Ask on a connection that is kept for reading, outside of any transaction."""
        connection = self._reading.raw_connection()
        try:
            cursor: Any = connection.cursor()
            try:
                cursor.execute(statement, values)
                return cursor.fetchall()  # type: ignore[no-any-return]
            except self._faults as error:
                driver: Any = connection.driver_connection
                if not self._reading.dialect.is_disconnect(error, driver, cursor):
                    raise
                connection.invalidate(error)
                raise _LostConnectionError(str(error)) from error
        finally:
            connection.close()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in one transaction; an exception takes it all back."""
        with self._turn, self._explained("written"), self._engine.begin() as connection:
            self._open.connection = _Writing(connection.connection, self._spell)
            try:
                yield self._open.connection
            finally:
                self._open.connection = None

    def count_connections(self) -> ConnectionCount:
        """Return how many connections there are."""
        pools: set[Any] = {self._engine.pool, self._reading.pool}
        in_use = sum(pool.checkedout() for pool in pools)
        idle = sum(pool.checkedin() for pool in pools)
        limit = MOST_CONNECTIONS + (MOST_READING if self._reading is not self._engine else 0)
        return ConnectionCount(in_use, idle, limit)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        self._reading.dispose()

    def _spell(self, statement: str) -> str:
        """Return a statement as the driver wants it.

        Marks for values differ, and in SQLite there are no locked rows to skip: one writes at a
        time.
        """
        if self.kind == "sqlite":
            return statement.removesuffix(_SKIP_LOCKED)
        return statement.replace("%", "%%").replace("?", "%s")

    @contextmanager
    def _explained(self, deed: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, _LostConnectionError, self._faults) as error:
            reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
            raise DatabaseError(
                f"the database {self.name} cannot be {deed}: {reason}",
                hint="is it running, and has it room?",
            ) from error


class _LostConnectionError(Exception):
    """A connection that was kept is one no more; nothing was read."""


class _Writing:
    """An open transaction, as the query modules use it."""

    def __init__(self, connection: Any, spell: Any) -> None:
        self._connection = connection
        self._spell = spell

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Rows:
        """Carry out a statement."""
        cursor = self._connection.cursor()
        cursor.execute(self._spell(statement), _bind(values))
        return cursor  # type: ignore[no-any-return]

    def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement for each of several rows."""
        if many := [_bind(row) for row in values]:
            self._connection.cursor().executemany(self._spell(statement), many)


def _bind(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_clean(it) if isinstance(it, str) else it for it in values)


def _clean(text: str) -> str:
    """Return a text as both databases can keep it.

    PostgreSQL takes no NUL, and neither of them half a pair of surrogates, as Python has it for a
    byte that is no UTF-8. Whoever pushes can write the one into a workflow's name and the other
    into a branch's.
    """
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def open_engine(address: str) -> sqlalchemy.Engine:
    """Return what reaches a database as it is: its tables are not brought up to date.

    Raises:
        InputError: the address is of no database that can be used.
    """
    return _make_engine(_read_address(address))


def _read_address(address: str) -> sqlalchemy.URL:
    try:
        url = sqlalchemy.make_url(address)
    except SQLAlchemyError as error:
        raise InputError("the address of the database cannot be read", hint=_hint()) from error
    if url.get_backend_name() not in _KINDS:
        raise InputError(
            f"a database of the kind '{url.get_backend_name()}' cannot be used", hint=_hint()
        )
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def _hint() -> str:
    return "give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"


def _make_engine(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    pool = {"pool_size": POOL_SIZE, "max_overflow": MOST_CONNECTIONS - POOL_SIZE}
    if url.get_backend_name() == "postgresql":
        engine = sqlalchemy.create_engine(
            url, pool_pre_ping=True, connect_args=_POSTGRESQL_OPTIONS, **pool
        )
        sqlalchemy.event.listen(engine, "connect", _prepare_postgresql)
        return engine
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **pool)
    sqlalchemy.event.listen(engine, "connect", _prepare_sqlite)
    sqlalchemy.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_reading_engine(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    """Return what keeps connections on which every statement is by itself.

    They are not tried before each use: one that turns out to be lost is replaced.
    """
    engine = sqlalchemy.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        connect_args=_POSTGRESQL_OPTIONS,
        pool_size=MOST_READING,
        max_overflow=0,
        pool_reset_on_return=None,
    )
    sqlalchemy.event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
    connection.commit()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: it would do so too late.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sqlalchemy.Connection) -> None:
    """Take the write lock at once: one that is asked for later may be refused for ever."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
