"""A row in every table of a database, whatever tables it has, and a look at all of them."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy.exc import SAWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

Rows = dict[str, list[dict[str, Any]]]


def reflect(connection: sqlalchemy.Connection) -> sqlalchemy.MetaData:
    """All tables of a database as they are."""
    metadata = sqlalchemy.MetaData()
    with _expressions_passed_over():
        metadata.reflect(connection)
    return metadata


@contextlib.contextmanager
def _expressions_passed_over() -> Iterator[None]:
    """Of an index over an expression SQLAlchemy says that it cannot describe it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield


def fill(connection: sqlalchemy.Connection, number: int) -> None:
    """Enter a row into every table; those of one number refer to each other."""
    for table in reflect(connection).sorted_tables:
        if table.name != "alembic_version":
            row = {column.name: make_value(column, number) for column in table.columns}
            connection.execute(table.insert().values(row))


def make_value(column: sqlalchemy.Column[Any], number: int) -> Any:
    """A value that a column takes, and those that refer to it too."""
    if isinstance(column.type, sqlalchemy.Integer):
        return number
    if isinstance(column.type, sqlalchemy.Float | sqlalchemy.Numeric):
        return 1_700_000_000.123456 + number
    return f"{number}" if column.foreign_keys or column.primary_key else f"ein Ä☃ 'text' {number}%"


def read_rows(connection: sqlalchemy.Connection) -> Rows:
    """All rows of all tables, by table, in an order of their own."""
    found: Rows = {}
    for table in reflect(connection).sorted_tables:
        if table.name != "alembic_version":
            rows = [dict(row) for row in connection.execute(table.select()).mappings()]
            found[table.name] = sorted(rows, key=repr)
    return found


def describe(connection: sqlalchemy.Connection) -> dict[str, Any]:
    """What the tables are like: columns with their types, and indexes."""
    inspector = sqlalchemy.inspect(connection)
    with _expressions_passed_over():
        return {
            name: (
                [
                    (it["name"], str(it["type"]), it["nullable"])
                    for it in inspector.get_columns(name)
                ],
                sorted(str(it["name"]) for it in inspector.get_indexes(name)),
            )
            for name in sorted(inspector.get_table_names())
        }
