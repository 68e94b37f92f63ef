"""What the query modules need of a database, whichever it is: SQLite or PostgreSQL.

Statements are plain SQL that both take, with `?` for each value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Sized
    from contextlib import AbstractContextManager


def marks(values: Sized) -> str:
    """Return what stands in `IN (…)` for values; NULL, which equals nothing, for none."""
    return ", ".join("?" * len(values)) or "NULL"


class Rows(Protocol):
    """What a statement has found, or how many rows it has changed."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchall(self) -> Sequence[Any]:
        """Return all rows."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows."""


class Connection(Protocol):
    """A transaction that is open: `sqlite3.Connection` is one."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows:
        """Carry out a statement."""

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Any:
        """Carry out a statement for each of several rows."""


class Store(Protocol):
    """A database. Its methods raise PlatformError where it cannot be read or written."""

    def ask(self, question: str, values: Sequence[Any] = ()) -> Sequence[Any]:
        """Return all rows that answer a question."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Write in one transaction; an exception takes it all back."""
