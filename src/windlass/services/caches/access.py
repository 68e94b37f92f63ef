"""Which caches a job may read and where it writes its own: the scopes of its run.

A scope is a ref. Caches of another branch, another tag or another pull request stay out of reach.
Source: https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#restrictions-for-accessing-a-cache
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.expressions import Value

READ: Final = 1
WRITE: Final = 2
_PULL_REQUEST: Final = "refs/pull/"
_NOWHERE: Final = "refs/none"
"""The scope of an event without any ref: what it writes, only its like can read."""


@dataclass(frozen=True, slots=True)
class CacheAccess:
    """The scopes a job may read, in the order in which they are searched; it writes to the first.

    At least one scope is there.
    """

    scopes: tuple[str, ...]

    @property
    def written(self) -> str:
        """The scope that the job's own caches get."""
        return self.scopes[0]

    def to_claim(self) -> str:
        """Return the `ac` claim of a job's token, by which clients see what they may do.

        BuildKit's cache of type `gha` refuses a token without it.
        """
        return json.dumps(
            [
                {"Scope": scope, "Permission": READ | WRITE if scope == self.written else READ}
                for scope in self.scopes
            ],
            separators=(",", ":"),
        )


def find_access(github: Mapping[str, Value]) -> CacheAccess:
    """Return what a job may do, by its `github` context.

    The run's own ref comes first; then, for a pull request, its head branch where that is a branch
    of this repository, and its base branch; then the default branch.
    """
    default = _branch(_find(github, "event", "repository", "default_branch"))
    own = _find(github, "ref") or default
    found = [own]
    if own.startswith(_PULL_REQUEST) and _is_head_here(github):
        found.append(_branch(_find(github, "head_ref")))
    found += [_branch(_find(github, "base_ref")), default]
    return CacheAccess(tuple(dict.fromkeys(filter(None, found))) or (_NOWHERE,))


def _branch(name: str) -> str:
    return f"refs/heads/{name}" if name and not name.startswith("refs/") else name


def _is_head_here(github: Mapping[str, Value]) -> bool:
    """Tell whether a pull request comes from a branch of the repository itself, not of a fork."""
    head = _find(github, "event", "pull_request", "head", "repo", "full_name")
    return head != "" and head == github.get("repository")


def _find(value: Value, *keys: str) -> str:
    """Return a text within objects, "" where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
