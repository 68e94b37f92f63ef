"""A `.windlass` whose services run, and jobs that they serve: what the tests of services share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from windlass.db.database import Database
from windlass.services.jobs import ServedJob
from windlass.services.run_services import RunServices

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.services.job_services import JobServices

GITHUB: dict[str, Any] = {
    "repository": "octo-org/octo-repo",
    "repository_owner": "octo-org",
    "server_url": "https://github.com",
    "ref": "refs/heads/main",
    "ref_type": "branch",
    "sha": "0123456789012345678901234567890123456789",
    "workflow_ref": "octo-org/octo-repo/.github/workflows/ci.yml@refs/heads/main",
    "workflow_sha": "0123456789012345678901234567890123456789",
    "event_name": "push",
    "run_id": "4711",
    "run_attempt": "1",
    "event": {"repository": {"default_branch": "main"}},
}
OWN = ("permissions", "environment", "places")


class Place:
    """A served `.windlass`; what goes wrong on our side is in `told`."""

    def __init__(self, state: Path, now: Callable[[], float] = time.time) -> None:
        state.mkdir(exist_ok=True)
        self.state = state
        self.told: list[str] = []
        self.database = Database(state / "history.db")
        self.services = RunServices(self.database, state, self.told.append, now)

    def begin(
        self, key: str = "build", run: str = "1", attempt: int = 1, **facts: Any
    ) -> JobServices:
        """Begin to serve a job; facts that are no fields of it belong to its `github` context."""
        own = {name: facts.pop(name) for name in OWN if name in facts}
        return self.services.open(
            ServedJob(
                run=run,
                attempt=attempt,
                key=key,
                github={**GITHUB, **facts},
                workflow_path=".github/workflows/ci.yml",
                **own,
            )
        )

    def close(self) -> None:
        """Serve nobody any more."""
        self.services.close()
        self.database.close()
