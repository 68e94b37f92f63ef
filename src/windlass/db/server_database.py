"""The database of a server: SQLite in a file, or PostgreSQL.

Both are reached through SQLAlchemy, whose pool gives each thread a connection of its own. In SQLite
one transaction writes at a time and others wait for it, as in `windlass.db.database`.

Source: https://docs.sqlalchemy.org/en/20/dialects/sqlite.html
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
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
        self._open = threading.local()
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
        writing: sqlalchemy.Connection | None = getattr(self._open, "connection", None)
        if writing is not None:
            with self._explained("read"):
                return writing.exec_driver_sql(self._spell(question), tuple(values)).fetchall()
        with self._explained("read"), self._engine.connect() as connection:
            reading = connection.execution_options(isolation_level="AUTOCOMMIT")
            return reading.exec_driver_sql(self._spell(question), tuple(values)).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in one transaction; an exception takes it all back."""
        with self._explained("written"), self._engine.begin() as connection:
            self._open.connection = connection
            try:
                yield _Writing(connection, self._spell)
            finally:
                self._open.connection = None

    def count_connections(self) -> ConnectionCount:
        """Return how many connections there are."""
        pool: Any = self._engine.pool
        return ConnectionCount(pool.checkedout(), pool.checkedin(), MOST_CONNECTIONS)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

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
        except SQLAlchemyError as error:
            reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
            raise DatabaseError(
                f"the database {self.name} cannot be {deed}: {reason}",
                hint="is it running, and has it room?",
            ) from error


class _Writing:
    """An open transaction, as the query modules use it."""

    def __init__(self, connection: sqlalchemy.Connection, spell: Any) -> None:
        self._connection = connection
        self._spell = spell

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Rows:
        """Carry out a statement."""
        rows: Any = self._connection.exec_driver_sql(self._spell(statement), tuple(values))
        return rows  # type: ignore[no-any-return]

    def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement for each of several rows."""
        if many := [tuple(row) for row in values]:
            self._connection.exec_driver_sql(self._spell(statement), many)


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
