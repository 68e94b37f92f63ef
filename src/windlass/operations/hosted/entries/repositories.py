"""The repositories that a server knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.operations.hosted import repositories
from windlass.operations.hosted.cursors import read_cursor, write_cursor
from windlass.operations.hosted.operation import Operation
from windlass.operations.hosted.repository_settings import read_settings, write_settings
from windlass.protocol.api import repositories as api

if TYPE_CHECKING:
    from windlass.db.repositories import RepositoryRow
    from windlass.operations.hosted.site import Site


def list_repositories(site: Site, given: api.ListRepositories) -> api.RepositoryPage:
    """List the repositories that the server knows, by name."""
    after = "" if given.cursor is None else read_cursor(given.cursor, str)[0]
    rows = repositories.list_repositories(site, after, given.limit + 1)
    shown = rows[: given.limit]
    return api.RepositoryPage(
        items=[describe_repository(row) for row in shown],
        next=write_cursor(shown[-1].name) if len(rows) > given.limit else None,
    )


def get_repository(site: Site, given: api.OfRepository) -> api.Repository:
    """Show one repository and its settings."""
    return describe_repository(repositories.require_repository(site, given.full_name))


def register_repository(site: Site, given: api.RegisterRepository) -> api.Repository:
    """Make a repository known to the server. What it holds already starts nothing."""
    row = repositories.register_repository(
        site, given.location, given.name or "", given.read_settings(), given.token or ""
    )
    return describe_repository(row)


def get_registered(site: Site, given: api.RegisterRepository) -> api.Repository:
    """Show the repository that was registered."""
    name = repositories.choose_name(given.location, given.name or "")
    return describe_repository(repositories.require_repository(site, name))


def update_repository(site: Site, given: api.UpdateRepository) -> api.Repository:
    """Change some settings of a repository; the others stay as they are."""
    row = repositories.change_settings(site, given.full_name, given.read_settings())
    return describe_repository(row)


def remove_repository(site: Site, given: api.OfRepository) -> None:
    """Forget a repository with its secrets and variables. Its runs stay; none may go on."""
    repositories.remove_repository(site, given.full_name)


def renew_webhook_secret(site: Site, given: api.OfRepository) -> api.WebhookSecret:
    """Make a new secret that signs a repository's webhooks; the one before is refused."""
    secret = repositories.renew_webhook_secret(site, given.full_name)
    return api.WebhookSecret(secret=secret, url=f"{site.address}/hooks/github/{given.full_name}")


def describe_repository(row: RepositoryRow) -> api.Repository:
    """Return what is said of a repository."""
    settings = write_settings(read_settings(row.settings))
    return api.Repository(
        name=row.name,
        id=row.id,
        location=row.location,
        default_branch=row.default_branch,
        has_webhook=row.webhook_secret is not None,
        created=row.created,
        polled=row.polled,
        **settings,
    )


OPERATIONS: Final = (
    Operation(
        call=api.LIST,
        effect="read",
        function=list_repositories,
    ),
    Operation(
        call=api.GET,
        effect="read",
        function=get_repository,
        errors=("missing",),
    ),
    Operation(
        call=api.REGISTER,
        effect="write",
        function=register_repository,
        status=201,
        again=get_registered,
    ),
    Operation(
        call=api.UPDATE,
        effect="write",
        function=update_repository,
        errors=("missing",),
    ),
    Operation(
        call=api.REMOVE,
        effect="write",
        function=remove_repository,
        status=204,
        errors=("missing", "conflict"),
    ),
    Operation(
        call=api.RENEW_WEBHOOK_SECRET,
        effect="write",
        function=renew_webhook_secret,
        status=201,
        errors=("missing",),
        once=True,
    ),
)
