"""The services of a run: started when one of its jobs first needs them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from windlass.services import catalogue
from windlass.services.artifacts import Artifacts
from windlass.services.caches.service import Caches
from windlass.services.caches.store import CacheStore
from windlass.services.catalogue import Means
from windlass.services.contents import Contents
from windlass.services.server import LOOPBACK, Server
from windlass.stores.blobs import BlobStore
from windlass.stores.state_folder import BLOBS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.db.database import Database
    from windlass.services.jobs import ServedJob

_TRUE: Final = "True"
"""As .NET writes it, and so the runner."""


class RunServices:
    """Serves the jobs of one attempt of a run, from this process, until it is closed."""

    def __init__(
        self,
        database: Database,
        state: Path,
        tell: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the local history's database, `.windlass`, and what hears of faults of ours.

        `now` returns seconds since the epoch.
        """
        self._server = Server(tell, now)
        self._blobs = BlobStore(state / BLOBS)
        contents = Contents(self._blobs, self._server.tokens)
        self._means = Means(
            database=database,
            state=state,
            blobs=self._blobs,
            contents=contents,
            artifacts=Artifacts(database, self._blobs, contents, now),
            caches=Caches(CacheStore(database, self._blobs, now=now), contents),
        )
        catalogue.add_all_routes(self._server, self._means)

    def open(
        self, job: ServedJob, address: str = LOOPBACK, listener: int | None = None
    ) -> JobServices:
        """Begin to serve a job that reaches this machine by an address of it.

        With a `listener`, a socket that listens already, it is served there alone.

        Raises:
            PlatformError: nobody can listen on that address.
        """
        if listener is None:
            return JobServices(job, self._server.listen(address), self._server, self._means)
        origin, end = self._server.adopt(listener)
        return JobServices(job, origin, self._server, self._means, end)

    def close(self) -> None:
        """Serve nobody any more and throw away what was not received to its end."""
        self._server.close()
        self._blobs.close()


class JobServices:
    """The services as one job meets them. `token` is a secret."""

    def __init__(
        self,
        job: ServedJob,
        origin: str,
        server: Server,
        means: Means,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what is to be done at the end of the job."""
        self._end = end
        self.job = job
        self.origin = origin
        self.token = server.tokens.issue(job)
        self._server = server
        self._means = means
        self._api_token: str | None = None

    @property
    def api_token(self) -> str:
        """The token for GitHub's REST API as it is served here: a secret, the same each time."""
        if self._api_token is None:
            self._api_token = self._server.tokens.issue_for_api(self.job)
        return self._api_token

    @property
    def api_addresses(self) -> dict[str, str]:
        """Where GitHub's REST API is served, by the keys of the `github` context."""
        return catalogue.api_addresses(self.origin)

    @property
    def script_variables(self) -> dict[str, str]:
        """The variables that a script gets."""
        return catalogue.script_variables(self.job, self.origin, self.token)

    @property
    def action_variables(self) -> dict[str, str]:
        """The variables that an action gets.

        Source: actions/runner src/Runner.Worker/Handlers/NodeScriptActionHandler.cs
        """
        return {
            "ACTIONS_RUNTIME_URL": f"{self.origin}/",
            "ACTIONS_RUNTIME_TOKEN": self.token,
            "ACTIONS_RESULTS_URL": f"{self.origin}/",
            "ACTIONS_CACHE_URL": f"{self.origin}/",
            "ACTIONS_CACHE_SERVICE_V2": _TRUE,
            **self.script_variables,
        }

    def close(self) -> None:
        """Refuse the job's token from now on: it has ended."""
        self._server.tokens.revoke(self.job)
        self._means.artifacts.give_up(self.job)
        self._means.caches.give_up(self.job)
        self._end()
