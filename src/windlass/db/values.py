"""Secrets and variables of repositories; what is secret is sealed before it comes here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store

Kind: TypeAlias = Literal["secret", "variable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """A value of a repository; `updated` is in seconds since the epoch."""

    repository: str
    kind: Kind
    name: str
    value: str
    updated: float


def set_value(connection: Connection, row: ValueRow) -> None:
    """Enter a value, in place of the one that has its name."""
    connection.execute(
        "INSERT INTO repository_values (repository, kind, name, value, updated) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (repository, kind, name) "
        "DO UPDATE SET value = excluded.value, updated = excluded.updated",
        (row.repository, row.kind, row.name, row.value, row.updated),
    )


def list_values(store: Store, repository: str, kind: Kind) -> list[ValueRow]:
    """Return the values of one kind that a repository has, by name."""
    rows = store.ask(
        "SELECT repository, kind, name, value, updated FROM repository_values "
        "WHERE repository = ? AND kind = ? ORDER BY name",
        (repository, kind),
    )
    return [_read(row) for row in rows]


def list_all_values(store: Store, kind: Kind) -> list[ValueRow]:
    """Return the values of one kind that any repository has."""
    rows = store.ask(
        "SELECT repository, kind, name, value, updated FROM repository_values "
        "WHERE kind = ? ORDER BY repository, name",
        (kind,),
    )
    return [_read(row) for row in rows]


def replace_value(connection: Connection, row: ValueRow, value: str) -> bool:
    """Put another value in place of one; False where that is not there any more as it was."""
    changed = connection.execute(
        "UPDATE repository_values SET value = ? "
        "WHERE repository = ? AND kind = ? AND name = ? AND value = ?",
        (value, row.repository, row.kind, row.name, row.value),
    )
    return changed.rowcount == 1


def remove_value(connection: Connection, repository: str, kind: Kind, name: str) -> bool:
    """Forget a value; False where there is none."""
    removed = connection.execute(
        "DELETE FROM repository_values WHERE repository = ? AND kind = ? AND name = ?",
        (repository, kind, name),
    )
    return removed.rowcount == 1


def _read(row: tuple[str, Kind, str, str, float]) -> ValueRow:
    repository, kind, name, value, updated = row
    return ValueRow(repository=repository, kind=kind, name=name, value=value, updated=updated)
