"""A GitHub event: what happened, to which commit, with which payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.expressions import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as GitHub's webhook and the `github` context describe it.

    `changed_files` is None where nobody can say what changed: path filters then count as matching,
    as on GitHub, where a diff that cannot be made runs the workflow.
    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
    """

    name: str
    payload: Mapping[str, Value]
    sha: str
    ref: str
    base_ref: str = ""
    head_ref: str = ""
    actor: str
    changed_files: tuple[str, ...] | None = None

    @property
    def action(self) -> str | None:
        """The activity type, e.g. `opened`; None for events without types."""
        action = self.payload.get("action")
        return action if isinstance(action, str) else None

    @property
    def branch(self) -> str | None:
        """The branch the event is about: a pull request's base branch, else the pushed branch."""
        if self.base_ref:
            return self.base_ref
        prefix = "refs/heads/"
        return self.ref[len(prefix) :] if self.ref.startswith(prefix) else None

    @property
    def tag(self) -> str | None:
        """The pushed tag, or None."""
        prefix = "refs/tags/"
        return self.ref[len(prefix) :] if self.ref.startswith(prefix) else None
