"""All rows of a server's database, of whichever kind, read at one moment and written again.

Rows are read in one transaction that sees the database as it was when it began; servers go on
meanwhile. A row is a JSON array of plain values, so what was read of SQLite can be written to
PostgreSQL and the other way round.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from windlass.db.lineage import read_version, upgrade
from windlass.db.server_database import open_engine
from windlass.errors import ConflictError, InputError, MissingError, PlatformError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LEFT_OUT: Final = ("alembic_version", "servers")
"""What is true of the database itself, or of processes, and not of what they keep."""

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the tables' version: its name and its columns, in the order of the rows."""

    name: str
    columns: tuple[str, ...]


class Contents:
    """What a database holds at one moment; to be used within `reading`."""

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self._connection = connection
        self.version = read_version(connection)
        """The number of the last migration that was carried out; 0 of an empty database."""
        self.tables = _list_tables(connection)
        """The tables, each behind those that its rows refer to."""

    def read(self, table: Table) -> Iterator[str]:
        """Yield the rows of a table as lines of JSON."""
        columns = ", ".join(table.columns)
        rows = self._connection.execution_options(stream_results=True).exec_driver_sql(
            f"SELECT {columns} FROM {table.name}"  # noqa: S608
        )
        for row in rows:
            yield json.dumps(list(row), ensure_ascii=False, separators=(",", ":")) + "\n"


@contextlib.contextmanager
def reading(address: str) -> Iterator[Contents]:
    """Read a database as it is at one moment, without changing anything.

    Raises:
        MissingError: it is a file that is not there.
        PlatformError: it cannot be read.
    """
    engine = open_engine(address)
    is_file = engine.dialect.name == "sqlite"
    if is_file and not Path(engine.url.database or "").is_file():
        raise MissingError(f"there is no file {engine.url.database}")
    try:
        with _explained(engine, "read"), engine.connect() as connected:
            level: Any = "AUTOCOMMIT" if is_file else "REPEATABLE READ"
            connection = connected.execution_options(isolation_level=level)
            if is_file:
                # A transaction that keeps nobody from writing.
                connection.exec_driver_sql("BEGIN DEFERRED")
            yield Contents(connection)
    finally:
        engine.dispose()


@contextlib.contextmanager
def writing_anew(address: str, version: int) -> Iterator[Writer]:
    """Fill an empty database in one transaction; an exception leaves it empty.

    `version` is that of the tables whose rows come; they are taken to the newest afterwards.

    Raises:
        ConflictError: it is not empty.
        PlatformError: it cannot be written.
    """
    engine = open_engine(address)
    try:
        with _explained(engine, "written"), engine.begin() as connection:
            if _list_tables(connection):
                raise ConflictError(
                    f"the database {_name(engine)} is not empty", hint="give a new one"
                )
            upgrade(connection, version)
            writer = Writer(connection)
            yield writer
            writer.finish()
            upgrade(connection)
    finally:
        engine.dispose()


class Writer:
    """Writes rows to tables that are empty."""

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self._connection = connection
        self._tables = {table.name: table for table in _list_tables(connection)}

    def write(self, table: Table, lines: Iterable[str]) -> int:
        """Enter rows that were read, and return how many those were.

        Raises:
            InputError: the tables of that version have no such table, or no such column.
        """
        known = self._tables.get(table.name)
        if known is None or not set(table.columns) <= set(known.columns):
            raise InputError(f"the backup has a table '{table.name}' that is not known")
        mark = "?" if self._connection.dialect.name == "sqlite" else "%s"
        marks = ", ".join([mark] * len(table.columns))
        statement = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})"  # noqa: S608
        count, rows = 0, []
        for line in lines:
            rows.append(tuple(json.loads(line)))
            if len(rows) == _AT_ONCE:
                self._connection.exec_driver_sql(statement, rows)
                count, rows = count + len(rows), []
        if rows:
            self._connection.exec_driver_sql(statement, rows)
        return count + len(rows)

    def finish(self) -> None:
        """Have PostgreSQL go on counting behind what it was given; SQLite does by itself."""
        if self._connection.dialect.name == "postgresql" and "caches" in self._tables:
            self._connection.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('caches', 'id'), max(id)) FROM caches "
                "HAVING max(id) IS NOT NULL"
            )


def _list_tables(connection: sqlalchemy.Connection) -> list[Table]:
    """Return the tables, each behind those that it refers to."""
    inspector = sqlalchemy.inspect(connection)
    names = [name for name, _ in inspector.get_sorted_table_and_fkc_names()]
    return [
        Table(name, tuple(column["name"] for column in inspector.get_columns(name)))
        for name in names
        if name is not None and name not in _LEFT_OUT
    ]


@contextlib.contextmanager
def _explained(engine: sqlalchemy.Engine, deed: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        raise PlatformError(
            f"the database {_name(engine)} cannot be {deed}: {reason}",
            hint="is it running, and has it room?",
        ) from error


def _name(engine: sqlalchemy.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
