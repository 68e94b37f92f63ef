"""The services of a run: started when one of its jobs first needs them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from windlass.services import catalogue
from windlass.services.job_services import JobServices
from windlass.services.listening import LOOPBACK
from windlass.services.owners import ProcessOwners
from windlass.services.server import Server
from windlass.stores.blobs import BlobStore
from windlass.stores.run_folders import RunFolders
from windlass.stores.state_folder import BLOBS, IDENTITY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.db.database import Database
    from windlass.services.jobs import ServedJob


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
        self._means = catalogue.make_means(
            database,
            self._blobs,
            self._server.tokens,
            ProcessOwners(),
            now,
            identity=state / IDENTITY,
            find_root=lambda _job: state.parent,
            read_events=lambda job: RunFolders(state).attempt(job.run, job.attempt).read_events(),
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
            origin, stop = self._server.listen(address), None
        else:
            origin, stop = self._server.adopt(listener)
        tokens = self._server.tokens

        def end() -> None:
            self._forget(job)
            if stop is not None:
                stop()

        return JobServices(job, origin, tokens.issue(job), lambda: tokens.issue_for_api(job), end)

    def _forget(self, job: ServedJob) -> None:
        """Refuse the tokens of a job that has ended, and throw away what it did not finish."""
        self._server.tokens.revoke(job)
        self._means.contents.give_up(job)
        self._means.caches.give_up(job)

    def close(self) -> None:
        """Serve nobody any more and throw away what was not received to its end."""
        self._server.close()
        self._blobs.close()
