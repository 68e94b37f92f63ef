"""The repositories of a server: made known to it, listed, set up, removed."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from windlass.db import repositories as rows
from windlass.db.effects import post_effect
from windlass.db.reports import TOKEN
from windlass.db.repositories import RepositoryRow
from windlass.db.runs import list_unfinished
from windlass.db.values import set_value
from windlass.engine.server.changes import EFFECTS
from windlass.errors import ConflictError, GitError, InvalidError, MissingError
from windlass.events.addresses import Allowance, Location, UnreachableError, read_location
from windlass.events.mirrors import Mirrors, find_mirrors
from windlass.git.remotes import read_remote
from windlass.operations.hosted.repository_settings import read_settings, write_settings
from windlass.operations.hosted.secrets import (
    describe_webhook,
    draft_secret,
    seal_text,
    unseal_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.db.connections import Connection
    from windlass.operations.hosted.site import Site

REFRESH: Final = "refresh"
"""The kind of effect that fetches a repository and reads what its default branch schedules."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+", re.ASCII)
_MOST_LETTERS: Final = 140
_BRANCH: Final = "main"


def register_repository(
    site: Site,
    location: str,
    name: str = "",
    settings: Mapping[str, Any] | None = None,
    token: str = "",
) -> RepositoryRow:
    """Make a repository known: a URL, or the absolute path of a folder of the server's machine.

    `name` is `owner/name`; a URL says it itself. `token` becomes the secret TOKEN, which a private
    repository asks for. What the repository holds already starts nothing.

    Raises:
        InvalidError: the server does not fetch from there, the repository cannot be read, or the
            name is none.
        ConflictError: there is one of that name.
    """
    name = choose_name(location, name)
    chosen = write_settings(read_settings(settings or {}))
    if rows.find_repository_named(site.store, name) is not None:
        raise _refuse_taken(name)
    place = read_location(location, Allowance(site.allowed_hosts))
    try:
        refs = find_mirrors(site.data).list_refs(place, token)
    except GitError as error:
        raise InvalidError(
            f"the repository cannot be read: {error.message}",
            hint="check the location, and whether the server's user may read it",
        ) from error
    row = RepositoryRow(
        id=secrets.token_hex(8),
        name=name,
        location=place.text,
        default_branch=refs.default_branch or _BRANCH,
        settings=chosen,
        heads=refs.heads,
        created=site.now(),
        polled=site.now(),
    )
    secret = draft_secret(site, row.id, TOKEN, token) if token else None
    with site.store.writing() as connection:
        site.claim(connection)
        if not rows.add_repository(connection, row):
            raise _refuse_taken(name)
        if secret is not None:
            set_value(connection, secret)
        ask_refresh(connection, row.id, "first")
    site.changes.tell(EFFECTS)
    return row


def ask_refresh(connection: Connection, repository: str, occasion: str) -> None:
    """Have a repository fetched, and its schedules read, once for an occasion."""
    post_effect(
        connection,
        f"{REFRESH}/{repository}/{occasion}",
        REFRESH,
        {"repository": repository},
        lane=repository,
    )


def require_repository(site: Site, name: str) -> RepositoryRow:
    """Return a repository by its name.

    Raises:
        MissingError: there is none of that name.
    """
    found = rows.find_repository_named(site.store, name)
    if found is None:
        raise MissingError(
            f"there is no repository '{name}'", hint="`windlass repos list` lists them"
        )
    return found


def list_repositories(site: Site, after: str = "", limit: int | None = None) -> list[RepositoryRow]:
    """Return the repositories whose names come behind a name, by name."""
    return rows.list_repositories(site.store, after, limit)


def remove_repository(site: Site, name: str) -> None:
    """Forget a repository, its mirror, its secrets and what it was told; its runs stay.

    Raises:
        MissingError: there is none of that name.
        ConflictError: runs of it go on.
        PlatformError: its mirror cannot be removed.
    """
    row = require_repository(site, name)
    running = [it.run.id for it in list_unfinished(site.store) if it.run.repository == row.id]
    if running:
        raise ConflictError(
            f"{len(running)} runs of {row.name} go on", hint=f"`windlass cancel {running[0]}` first"
        )
    with site.store.writing() as connection:
        rows.remove_repository(connection, row.id)
    find_mirrors(site.data).remove(row.id)


def change_settings(site: Site, name: str, changes: Mapping[str, Any]) -> RepositoryRow:
    """Change some settings of a repository, and return it; see `repository_settings`.

    Raises:
        MissingError: there is none of that name.
        InvalidError: a setting is unknown, or cannot have that value.
    """
    row = require_repository(site, name)
    with site.store.writing() as connection:
        current = rows.lock_repository(connection, row.id)
        before = {} if current is None else current.settings
        settings = write_settings(read_settings({**before, **changes}))
        rows.change_settings(connection, row.id, settings)
    return require_repository(site, name)


def renew_webhook_secret(site: Site, name: str) -> str:
    """Make a new secret by which a repository's webhooks are known, and return it.

    What is signed by the one before is refused from now on.

    Raises:
        MissingError: there is none of that name.
        PlatformError: the server's key cannot be read.
    """
    row = require_repository(site, name)
    text = secrets.token_hex(32)
    sealed = seal_text(site, text, describe_webhook(row.id))
    with site.store.writing() as connection:
        site.claim(connection)
        rows.change_webhook_secret(connection, row.id, sealed)
    return text


def find_webhook_secret(site: Site, row: RepositoryRow) -> str | None:
    """Return the secret by which a repository's webhooks are known; None where it has none.

    Raises:
        PlatformError: it cannot be unsealed.
    """
    return row.webhook_secret and unseal_text(site, row.webhook_secret, describe_webhook(row.id))


def fetch_repository(site: Site, row: RepositoryRow, more: Sequence[str] = ()) -> Mirrors:
    """Bring the mirror of a repository up to date, with further refs where they are there.

    Raises:
        InvalidError: the server does not fetch from there any more.
        GitError: the repository cannot be reached.
    """
    mirrors = find_mirrors(site.data)
    place = locate(site, row)
    mirrors.fetch(row.id, place, token=find_token(site, row), more=more)
    return mirrors


def locate(site: Site, row: RepositoryRow) -> Location:
    """Return where a repository is, with the addresses that its host has now.

    Raises:
        InvalidError: the server does not fetch from there any more.
        GitError: nobody knows its host, or the folder is gone, at this moment.
    """
    try:
        return read_location(row.location, Allowance(site.allowed_hosts))
    except UnreachableError as error:
        raise GitError(error.message, hint=error.hint) from error


def find_token(site: Site, row: RepositoryRow) -> str:
    """Return the token that the server shows to GitHub for a repository; empty for none.

    Raises:
        PlatformError: it cannot be unsealed.
    """
    return site.values.find_secrets(row.id).get(TOKEN, "")


def find_job_secrets(site: Site, repository: str, *, from_fork: bool) -> dict[str, str]:
    """Return the secrets of which jobs of a repository may be given: of a fork's code none.

    The server's own token is for no job.

    Raises:
        PlatformError: one cannot be unsealed.
    """
    if from_fork:
        return {}
    return {name: it for name, it in site.values.find_secrets(repository).items() if name != TOKEN}


def choose_name(location: str, name: str) -> str:
    """Return what a repository is called, which a URL says itself.

    Raises:
        InvalidError: that is no name, or none is said.
    """
    if not name:
        remote = read_remote(location)
        if remote is None:
            raise InvalidError(
                "a folder does not say whose repository it is", hint="name it: OWNER/NAME"
            )
        name = f"{remote.owner.replace('/', '-')}/{remote.name}"
    if not _NAME.fullmatch(name) or len(name) > _MOST_LETTERS or name.endswith(".git"):
        raise InvalidError(
            f"'{name}' is no name of a repository",
            hint="give OWNER/NAME, of letters, digits, '-' and, in the name, '.' and '_'",
        )
    return name


def _refuse_taken(name: str) -> ConflictError:
    return ConflictError(
        f"there is a repository '{name}'", hint="remove it, or choose another name"
    )
