"""A job that is served: who it is, and what it may do."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.expressions import Value
    from windlass.services.caches.portable import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedJob:
    """One job of an attempt of a run, for as long as it runs.

    `key` names the job within its run, `github` is its context of that name (repository, ref, sha,
    event and so on), `permissions` the level of every scope, `environment` what it deploys to,
    `workflow_path` the file that the job stands in: `OWNER/NAME/PATH@REF`, read from the commit
    `workflow_sha`, where it is one of another repository. Of its folders, as its
    processes see them, `places` tells. On a server, `repository` is the id of its repository, and
    `claim` says which of the server's jobs it is and which runner has it; both are empty here.
    """

    run: str
    attempt: int
    key: str
    github: Mapping[str, Value] = field(default_factory=dict)
    permissions: Mapping[str, str] = field(default_factory=dict)
    environment: str | None = None
    workflow_path: str = ""
    workflow_sha: str = ""
    places: Places | None = None
    repository: str = ""
    claim: str = ""

    @property
    def run_id(self) -> str:
        """What GitHub's clients call the run: `workflow_run_backend_id`."""
        return _name("run", self.run)

    @property
    def job_id(self) -> str:
        """What GitHub's clients call the job: `workflow_job_run_backend_id`."""
        return name_job(self.run, self.attempt, self.key)

    def text(self, key: str) -> str:
        """Return a text of the `github` context, "" where it has none."""
        value = self.github.get(key)
        return value if isinstance(value, str) else ""


def name_job(run: str, attempt: int, key: str) -> str:
    """Return what GitHub's clients call a job of an attempt."""
    return _name("job", run, str(attempt), key)


def _name(*parts: str) -> str:
    """Return a name shaped like a UUID: clients cut what they are given at colons and spaces."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
