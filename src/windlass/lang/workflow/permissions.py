"""`permissions:` of a workflow or a job, and what a called workflow may ask for.

Source: actions/runner, WorkflowParser/Permissions.cs and Conversion/PermissionsHelper.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from windlass.lang.tokens import MappingToken, StringToken
from windlass.lang.workflow.expectations import text_of
from windlass.lang.workflow.model import Permissions

if TYPE_CHECKING:
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import PermissionLevel

COMPARED_SCOPES = (
    *("actions", "artifact-metadata", "attestations", "checks", "contents", "deployments"),
    *("discussions", "issues", "packages", "pages", "pull-requests", "repository-projects"),
    *("statuses", "security-events", "id-token", "models", "vulnerability-alerts"),
)
"""The scopes that a called workflow may not widen, in the order of GitHub's messages."""

_READ_ONLY = ("models", "vulnerability-alerts")
_RANKS = {"none": 0, "read": 1, "write": 2}


def convert_permissions(token: Token) -> Permissions:
    """Return what a `permissions:` key grants."""
    if isinstance(token, StringToken):
        return Permissions("write" if token.value == "write-all" else "read", {}, token.span)
    scopes: dict[str, PermissionLevel] = {}
    entries = token.entries if isinstance(token, MappingToken) else ()
    for key, value in entries:
        scope, level = text_of(key), text_of(value)
        if scope is not None and level in _RANKS:
            scopes[scope] = cast("PermissionLevel", level)
    return Permissions(None, scopes, token.span)


def level_of(permissions: Permissions, scope: str) -> PermissionLevel:
    """Return the level that is granted for a scope."""
    if permissions.all is None:
        return permissions.scopes.get(scope, "none")
    if scope in _READ_ONLY:
        return "read"
    return permissions.all


def violations(requested: Permissions, allowed: Permissions) -> tuple[str, str] | None:
    """Return what is asked for beyond what is allowed, and what is allowed there; None if nothing.

    Both are lists such as `actions: write, contents: read`.
    """
    exceeding = [
        scope
        for scope in COMPARED_SCOPES
        if _RANKS[level_of(requested, scope)] > _RANKS[level_of(allowed, scope)]
    ]
    if not exceeding:
        return None
    asked = ", ".join(f"{scope}: {level_of(requested, scope)}" for scope in exceeding)
    granted = ", ".join(f"{scope}: {level_of(allowed, scope)}" for scope in exceeding)
    return asked, granted
