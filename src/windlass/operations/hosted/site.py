"""What the operations of a server work on: its database, its folder, its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from windlass.db.servers import name_server
from windlass.model.values import dataclass, field
from windlass.operations.hosted.attempt_views import AttemptViews

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from windlass.db.connections import Connection, Store
    from windlass.engine.server.changes import Changes
    from windlass.engine.server.runs import ServerRuns


class RepositoryValues(Protocol):
    """What a server's repositories give their jobs, besides what is in their files.

    Both take a repository's id and raise PlatformError where the values cannot be read.
    """

    def find_variables(self, repository: str) -> Mapping[str, str]:
        """Return the variables of a repository, by name."""

    def find_secrets(self, repository: str) -> Mapping[str, str]:
        """Return the secrets of a repository in clear, by name."""


class NoValues:
    """Repositories that have neither variables nor secrets."""

    def find_variables(self, _repository: str) -> Mapping[str, str]:
        """Return none."""
        return {}

    def find_secrets(self, _repository: str) -> Mapping[str, str]:
        """Return none."""
        return {}


def claim_nothing(_connection: Connection) -> None:
    """Do nothing: whoever asks does not ask again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One server process. All of them on one database share `store` and what lies in `data`.

    `id` is the process's own, by which others know whether it is there (`windlass.db.servers`).
    `address` is where people, runners and jobs find it: `http://127.0.0.1:8484`, without a slash at
    the end. `now` returns seconds since the epoch. Repositories may be fetched from
    `allowed_hosts` too, names, addresses and networks inside of the server's own network. `views`
    remembers what was told of attempts. An operation calls `claim` in the transaction of what it
    does: it notes that the request was carried out, and raises ConflictError where another has.
    """

    store: Store
    data: Path
    runs: ServerRuns
    changes: Changes
    address: str
    now: Callable[[], float]
    values: RepositoryValues = field(default_factory=NoValues)
    allowed_hosts: tuple[str, ...] = ()
    views: AttemptViews = field(default_factory=AttemptViews)
    claim: Callable[[Connection], None] = claim_nothing
    id: str = field(default_factory=name_server)
