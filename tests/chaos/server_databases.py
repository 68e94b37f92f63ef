"""Databases of servers that can be put back to what they were: SQLite, and PostgreSQL."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.postgres import PostgresServer


class Databases(Protocol):
    """The database of a server."""

    @property
    def words(self) -> list[str]:
        """The options of `windlass up` that name it."""

    def make(self, data: Path) -> None:
        """Make it, empty, for the server of a folder."""

    def keep(self) -> None:
        """Keep what it is now; nobody is connected to it."""

    def restore(self) -> None:
        """Go back to what was kept."""

    def ask(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that answer a question."""

    def change(self, statement: str, values: Sequence[Any]) -> None:
        """Change something behind the server's back."""


class SqliteDatabases:
    """A file in the server's folder, which is kept and restored with that."""

    def __init__(self) -> None:
        self._file: Path | None = None

    @property
    def words(self) -> list[str]:
        """See the port."""
        return []

    def make(self, data: Path) -> None:
        """See the port."""
        self._file = data / "windlass.db"

    def keep(self) -> None:
        """Leave it to who keeps the folder."""

    def restore(self) -> None:
        """Leave it to who restores the folder."""

    def ask(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """See the port."""
        with self._connect() as connection:
            return connection.execute(question, tuple(values)).fetchall()

    def change(self, statement: str, values: Sequence[Any]) -> None:
        """See the port."""
        with self._connect() as connection, connection:
            connection.execute(statement, tuple(values))

    def _connect(self) -> contextlib.closing[sqlite3.Connection]:
        assert self._file is not None
        return contextlib.closing(sqlite3.connect(self._file))


class PostgresDatabases:
    """A database of a PostgreSQL of ours; what is kept is a template beside it."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.address = ""

    @property
    def words(self) -> list[str]:
        """See the port."""
        return ["--database", self.address]

    def make(self, data: Path) -> None:  # noqa: ARG002 (it lies elsewhere)
        """See the port."""
        self.address = self.server.make_database()

    def keep(self) -> None:
        """See the port."""
        with self._governing() as connection:
            connection.execute(f"CREATE DATABASE {self._name}_kept TEMPLATE {self._name}")

    def restore(self) -> None:
        """See the port."""
        with self._governing() as connection:
            connection.execute(f"DROP DATABASE {self._name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {self._name} TEMPLATE {self._name}_kept")

    def ask(self, question: str, values: Sequence[Any] = ()) -> list[Any]:
        """See the port."""
        with self._connect(self.address) as connection:
            return list(connection.execute(question.replace("?", "%s"), values).fetchall())

    def change(self, statement: str, values: Sequence[Any]) -> None:
        """See the port."""
        with self._connect(self.address) as connection:
            connection.execute(statement.replace("?", "%s"), values)

    def cut(self) -> None:
        """End all connections to it."""
        with self._governing() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (self._name,),
            )

    def close_doors(self) -> None:
        """End all connections to it, and let nobody make another."""
        with self._governing() as connection:
            connection.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self.cut()

    def open_doors(self) -> None:
        """Let it be connected to again."""
        with self._governing() as connection:
            connection.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")

    def restart(self) -> None:
        """Have PostgreSQL fall over, and start it again."""
        self.server.stop("immediate")
        self.server.resume()

    @property
    def _name(self) -> str:
        return self.address.partition("?")[0].rpartition("/")[2]

    @contextlib.contextmanager
    def _governing(self) -> Iterator[Any]:
        with self._connect(self.address.replace(f"/{self._name}?", "/postgres?")) as connection:
            yield connection

    def _connect(self, address: str) -> Any:
        import psycopg

        return psycopg.connect(address, autocommit=True)
