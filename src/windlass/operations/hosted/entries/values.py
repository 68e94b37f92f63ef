"""The secrets and variables of repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.operations.hosted import secrets
from windlass.operations.hosted.cursors import cut_page
from windlass.operations.hosted.operation import Operation
from windlass.operations.hosted.repositories import require_repository
from windlass.protocol.api import values as api

if TYPE_CHECKING:
    from windlass.operations.hosted.site import Site
    from windlass.protocol.api.repositories import OfRepository


def list_secrets(site: Site, given: api.ListValues) -> api.SecretPage:
    """List the secrets of a repository, without their values."""
    rows, following = cut_page(secrets.list_secrets(site, _find_id(site, given)), given)
    items = [api.Secret(name=row.name, updated=row.updated) for row in rows]
    return api.SecretPage(items=items, next=following)


def set_secret(site: Site, given: api.SetValue) -> api.Secret:
    """Set a secret of a repository: runs have it from now on. Its value is kept sealed."""
    row = secrets.set_secret(site, _find_id(site, given), given.key, given.value)
    return api.Secret(name=row.name, updated=row.updated)


def remove_secret(site: Site, given: api.OfValue) -> None:
    """Forget a secret of a repository."""
    secrets.remove_secret(site, _find_id(site, given), given.key)


def list_variables(site: Site, given: api.ListValues) -> api.VariablePage:
    """List the variables of a repository."""
    rows, following = cut_page(secrets.list_variables(site, _find_id(site, given)), given)
    items = [api.Variable(name=it.name, value=it.value, updated=it.updated) for it in rows]
    return api.VariablePage(items=items, next=following)


def set_variable(site: Site, given: api.SetValue) -> api.Variable:
    """Set a variable of a repository: runs that start from now on have it."""
    row = secrets.set_variable(site, _find_id(site, given), given.key, given.value)
    return api.Variable(name=row.name, value=row.value, updated=row.updated)


def remove_variable(site: Site, given: api.OfValue) -> None:
    """Forget a variable of a repository."""
    secrets.remove_variable(site, _find_id(site, given), given.key)


def _find_id(site: Site, given: OfRepository) -> str:
    return require_repository(site, given.full_name).id


OPERATIONS: Final = (
    Operation(
        call=api.LIST_SECRETS,
        effect="read",
        function=list_secrets,
        errors=("missing",),
    ),
    Operation(
        call=api.SET_SECRET,
        effect="write",
        function=set_secret,
        errors=("missing",),
    ),
    Operation(
        call=api.REMOVE_SECRET,
        effect="write",
        function=remove_secret,
        status=204,
        errors=("missing",),
    ),
    Operation(
        call=api.LIST_VARIABLES,
        effect="read",
        function=list_variables,
        errors=("missing",),
    ),
    Operation(
        call=api.SET_VARIABLE,
        effect="write",
        function=set_variable,
        errors=("missing",),
    ),
    Operation(
        call=api.REMOVE_VARIABLE,
        effect="write",
        function=remove_variable,
        status=204,
        errors=("missing",),
    ),
)
