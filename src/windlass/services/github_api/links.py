"""The addresses that answers name, and the stand-ins for what only GitHub knows."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import quote

from windlass.model.values import dataclass
from windlass.plan.contexts import stand_in_id


@dataclass(frozen=True, slots=True)
class Links:
    """Where things are: `api` is the root of this API, `server` that of the pages, both bare."""

    api: str
    server: str
    full_name: str

    @property
    def repository(self) -> str:
        """The repository's address in this API."""
        return f"{self.api}/repos/{quote(self.full_name)}"

    @property
    def page(self) -> str:
        """The repository's page."""
        return f"{self.server}/{quote(self.full_name)}"

    @property
    def owner(self) -> str:
        """The login of the repository's owner."""
        return self.full_name.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The repository's name without its owner."""
        return self.full_name.rpartition("/")[2]

    def git(self, kind: str, sha: str) -> str:
        """Return the address of a Git object; `kind` is blob, tree, commit or tag."""
        return f"{self.repository}/git/{kind}s/{sha}"


def make_id(*parts: str) -> int:
    """Return a number in place of an id that only GitHub knows: the same for the same thing."""
    return int(stand_in_id("\0".join(parts) if len(parts) > 1 else parts[0]))


def make_node_id(kind: str, *parts: str) -> str:
    """Return a text in place of GitHub's id of a node."""
    name = ":".join([kind, *parts]).encode("utf-8", "surrogateescape")
    return base64.urlsafe_b64encode(name).rstrip(b"=").decode()


def format_time(seconds: float) -> str:
    """Return seconds since the epoch as GitHub writes a time: `2026-01-02T03:04:05Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_date(date: str) -> str:
    """Return a date of Git's, ISO 8601 with an offset, as GitHub writes a time."""
    return format_time(datetime.fromisoformat(date).timestamp())
