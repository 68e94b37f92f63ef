"""What a job's token may do: the job's `permissions`, else the workflow's, else the default.

A called workflow can only reduce what its caller has.
Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
and actions/runner src/Sdk/WorkflowParser/Permissions.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.workflow.model import JobBase, PermissionLevel, Permissions, Workflow

SCOPES: Final = (
    "actions",
    "artifact-metadata",
    "attestations",
    "checks",
    "code-quality",
    "contents",
    "copilot-requests",
    "deployments",
    "discussions",
    "drives",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "security-events",
    "statuses",
    "vulnerability-alerts",
)
READ_ONLY_SCOPES: Final = frozenset({"models", "vulnerability-alerts"})
"""Scopes that cannot be written: `write-all` gives `read` there."""

DEFAULT: Final[Mapping[str, PermissionLevel]] = {
    scope: "read" if scope in ("contents", "packages") else "none" for scope in SCOPES
}
"""GitHub's restricted default: contents and packages may be read."""

_ORDER: Final = {"none": 0, "read": 1, "write": 2}


def resolve_permissions(
    job: JobBase, workflow: Workflow, *, ceiling: Mapping[str, PermissionLevel] | None = None
) -> dict[str, PermissionLevel]:
    """Return the level of every scope for one job.

    `ceiling` is what the caller of a reusable workflow has; nothing exceeds it, and it is also what
    a called workflow that says nothing gets.
    """
    written = job.permissions or workflow.permissions
    if written is None:
        return dict(DEFAULT if ceiling is None else ceiling)
    levels = expand_permissions(written)
    return levels if ceiling is None else _limit(levels, ceiling)


def expand_permissions(permissions: Permissions) -> dict[str, PermissionLevel]:
    """Return every scope of a `permissions:` key; one that is not named is `none`."""
    levels: dict[str, PermissionLevel] = dict.fromkeys(SCOPES, "none")
    if permissions.all is not None:
        for scope in SCOPES:
            levels[scope] = "read" if scope in READ_ONLY_SCOPES else permissions.all
    levels.update(permissions.scopes)
    return levels


def _limit(
    levels: Mapping[str, PermissionLevel], ceiling: Mapping[str, PermissionLevel]
) -> dict[str, PermissionLevel]:
    return {
        scope: min(level, ceiling.get(scope, "none"), key=_ORDER.__getitem__)
        for scope, level in levels.items()
    }
