"""Access tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.operations.hosted import tokens
from windlass.operations.hosted.cursors import cut_page
from windlass.operations.hosted.operation import Operation
from windlass.protocol.api import tokens as api

if TYPE_CHECKING:
    from windlass.db.access_tokens import AccessTokenRow
    from windlass.operations.hosted.site import Site


def list_tokens(site: Site, given: api.ListTokens) -> api.TokenPage:
    """List access tokens, oldest first, also those that do not count any more."""
    rows, following = cut_page(tokens.list_tokens(site), given)
    return api.TokenPage(items=[api.Token(**_describe(row)) for row in rows], next=following)


def create_token(site: Site, given: api.CreateToken) -> api.NewToken:
    """Make an access token. Its text is told once, and kept nowhere."""
    made = tokens.create_token(site, given.name, given.days)
    return api.NewToken(**_describe(made.row), token=made.text)


def revoke_token(site: Site, given: api.RevokeToken) -> None:
    """Have an access token not count any more. May be done again."""
    tokens.revoke_token(site, given.id)


def _describe(row: AccessTokenRow) -> dict[str, Any]:
    names = ("id", "name", "created", "expires", "revoked")
    return {name: getattr(row, name) for name in names}


OPERATIONS: Final = (
    Operation(
        call=api.LIST,
        effect="read",
        function=list_tokens,
    ),
    Operation(
        call=api.CREATE,
        effect="write",
        function=create_token,
        status=201,
        once=True,
    ),
    Operation(
        call=api.REVOKE,
        effect="write",
        function=revoke_token,
        status=204,
        errors=("missing",),
    ),
)
