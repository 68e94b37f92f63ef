"""The repositories that a server runs workflows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRow:
    """A repository: `name` is OWNER/NAME, `url` what git fetches it from, `branch` its default.

    `created` is in seconds since the epoch.
    """

    name: str
    url: str
    branch: str
    created: float


def enter_repository(connection: Connection, row: RepositoryRow) -> bool:
    """Enter a repository; False where there is one of that name."""
    changed = connection.execute(
        "INSERT INTO repositories (name, url, branch, created) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (row.name, row.url, row.branch, row.created),
    )
    return changed.rowcount == 1


def list_repositories(store: Store) -> list[RepositoryRow]:
    """Return all repositories by name."""
    rows = store.ask("SELECT name, url, branch, created FROM repositories ORDER BY name")
    return [RepositoryRow(name=it[0], url=it[1], branch=it[2], created=it[3]) for it in rows]


def find_repository(store: Store, name: str) -> RepositoryRow | None:
    """Return a repository, None where there is none of that name."""
    return next((row for row in list_repositories(store) if row.name == name), None)
