"""The repositories that a server knows: where each is, and which commits its refs were last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from windlass.db.connections import marks
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from windlass.db.connections import Connection, Store

_COLUMNS: Final = (
    "id, name, location, default_branch, settings, webhook_secret, heads, created, polled"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRow:
    """A repository; `name` is `owner/name`, `location` a folder of the server's or a URL.

    `settings` are those of `windlass.model.repository_settings`. `heads` holds the commits of its
    branches and tags, by their full names, of which runs have been told. `webhook_secret` is
    sealed. `created` and `polled`, when it was last looked at, are seconds since the epoch.
    """

    id: str
    name: str
    location: str
    default_branch: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    webhook_secret: str | None = None
    heads: Mapping[str, str] = field(default_factory=dict)
    created: float
    polled: float | None = None


def add_repository(connection: Connection, row: RepositoryRow) -> bool:
    """Enter a repository; False where there is one of that name."""
    added = connection.execute(
        f"INSERT INTO repositories ({_COLUMNS}) "  # noqa: S608
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            row.id,
            row.name,
            row.location,
            row.default_branch,
            json.dumps(dict(row.settings)),
            row.webhook_secret,
            _write_heads(row.heads),
            row.created,
            row.polled,
        ),
    )
    return added.rowcount == 1


def find_names(store: Store, repositories: Collection[str]) -> dict[str, str]:
    """Return the names of those of some repositories, by their ids, that are there."""
    if not repositories:
        return {}
    rows = store.ask(
        f"SELECT id, name FROM repositories WHERE id IN ({marks(repositories)})",  # noqa: S608
        sorted(repositories),
    )
    return {str(key): str(name) for key, name in rows}


def find_repository(store: Store, repository: str) -> RepositoryRow | None:
    """Return a repository by its id."""
    rows = store.ask(f"SELECT {_COLUMNS} FROM repositories WHERE id = ?", (repository,))  # noqa: S608
    return _read(rows[0]) if rows else None


def find_repository_named(store: Store, name: str) -> RepositoryRow | None:
    """Return a repository by its name, in which case does not count."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM repositories WHERE lower(name) = lower(?)",  # noqa: S608
        (name,),
    )
    return _read(rows[0]) if rows else None


def list_repositories(
    store: Store, after: str = "", limit: int | None = None
) -> list[RepositoryRow]:
    """Return the repositories whose names come behind a name, by name."""
    question = f"SELECT {_COLUMNS} FROM repositories WHERE name > ? ORDER BY name"  # noqa: S608
    if limit is None:
        return [_read(row) for row in store.ask(question, (after,))]
    return [_read(row) for row in store.ask(f"{question} LIMIT ?", (after, limit))]


def remove_repository(connection: Connection, repository: str) -> bool:
    """Forget a repository with its deliveries, schedules and values; False where there is none."""
    return connection.execute("DELETE FROM repositories WHERE id = ?", (repository,)).rowcount == 1


def change_settings(connection: Connection, repository: str, settings: Mapping[str, Any]) -> None:
    """Set what is set of a repository."""
    connection.execute(
        "UPDATE repositories SET settings = ? WHERE id = ?",
        (json.dumps(dict(settings)), repository),
    )


def change_webhook_secret(connection: Connection, repository: str, sealed: str | None) -> None:
    """Set the secret that signs a repository's webhooks; None lets none in."""
    connection.execute(
        "UPDATE repositories SET webhook_secret = ? WHERE id = ?", (sealed, repository)
    )


def change_default_branch(connection: Connection, repository: str, branch: str) -> None:
    """Note which branch is the default."""
    connection.execute(
        "UPDATE repositories SET default_branch = ? WHERE id = ?", (branch, repository)
    )


def lock_repository(connection: Connection, repository: str) -> RepositoryRow | None:
    """Keep others from a repository's heads until the transaction ends, and return it."""
    connection.execute("UPDATE repositories SET created = created WHERE id = ?", (repository,))
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM repositories WHERE id = ?",  # noqa: S608
        (repository,),
    ).fetchall()
    return _read(rows[0]) if rows else None


def note_heads(connection: Connection, repository: str, heads: Mapping[str, str]) -> None:
    """Note which commits the refs of a repository are; it has to be locked."""
    connection.execute(
        "UPDATE repositories SET heads = ? WHERE id = ?", (_write_heads(heads), repository)
    )


@dataclass(frozen=True, slots=True)
class PollRow:
    """When a repository was last looked at, and how it is set up."""

    id: str
    polled: float | None
    settings: Mapping[str, Any]


def list_polls(store: Store) -> list[PollRow]:
    """Return when each repository was looked at, without what it is large with."""
    rows = store.ask("SELECT id, polled, settings FROM repositories ORDER BY polled")
    return [PollRow(key, polled, json.loads(settings)) for key, polled, settings in rows]


def claim_poll(connection: Connection, row: PollRow, now: float) -> bool:
    """Take it upon oneself to look at a repository; False where somebody else was faster."""
    changed = connection.execute(
        "UPDATE repositories SET polled = ? WHERE id = ? AND coalesce(polled, -1) = ?",
        (now, row.id, -1 if row.polled is None else row.polled),
    )
    return changed.rowcount == 1


def _write_heads(heads: Mapping[str, str]) -> str:
    return json.dumps(dict(heads), sort_keys=True)


def _read(row: Sequence[Any]) -> RepositoryRow:
    key, name, location, default_branch, settings, webhook_secret, heads, created, polled = row
    return RepositoryRow(
        id=key,
        name=name,
        location=location,
        default_branch=default_branch,
        settings=json.loads(settings),
        webhook_secret=webhook_secret,
        heads=json.loads(heads),
        created=created,
        polled=polled,
    )
