"""The runtime services for jobs on runners: who may use them, and in whose name.

Every process of a server takes what any of them has issued: tokens are signed with a key in the
server's folder and name the job and the runner that has it, and whether that is still so is asked
of the table of jobs, each time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from windlass.db.announcements import read_announcements
from windlass.db.jobs import find_numbered
from windlass.db.runs import find_repository_of
from windlass.errors import GoneError, InputError, PlatformError
from windlass.events.mirrors import find_mirrors
from windlass.operations.hosted.job_reports import require_job
from windlass.private_files import add_private_file
from windlass.protocol.runner import JobId, read_job_id
from windlass.protocol.services import ServicesAnswer
from windlass.services.caches.portable import Places
from windlass.services.catalogue import make_means
from windlass.services.jobs import ServedJob
from windlass.services.tokens import KEY_BYTES, Tokens
from windlass.stores.blobs import BlobStore
from windlass.stores.state_folder import BLOBS, IDENTITY

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.db.jobs import JobRow
    from windlass.db.runners import RunnerRow
    from windlass.operations.hosted.site import Site
    from windlass.protocol.services import ServicesRequest
    from windlass.services.catalogue import Means

KEY: Final = "services.key"
TOKEN_SECONDS: Final = 35 * 86_400.0
"""A job may run so long where its workflow lets it; its tokens end with it in any case.

Source: https://docs.github.com/en/actions/reference/limits
"""

_AT: Final = "@"
_MOST_JOBS: Final = 256
"""So many jobs are kept in memory as they are known to services; others are looked up again."""


def read_key(data: Path) -> bytes:
    """Return the key that a server's tokens are signed with; the first to ask makes it.

    Raises:
        PlatformError: it cannot be read or written, or is none.
    """
    path = data / KEY
    try:
        if not path.exists():
            add_private_file(path, os.urandom(KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise PlatformError(f"{path} cannot be used: {error.strerror}") from error
    if len(key) != KEY_BYTES:
        raise PlatformError(
            f"{path} is no key: it has {len(key)} bytes, not {KEY_BYTES}",
            hint="remove it while the server does not run: it is made anew",
        )
    return key


def name_claim(job: JobId, runner: str) -> str:
    """Return what a job is called in the hands of a runner."""
    return f"{job}{_AT}{runner}"


class Claims:
    """Which jobs are whose, as the table of jobs says; threads may share it.

    It is what the services ask for jobs (`windlass.services.tokens.KnownJobs`) and for who still
    writes something (`windlass.services.owners.Owners`).
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._jobs: dict[tuple[str, ...], ServedJob] = {}
        self._lock = threading.Lock()

    def admit(self, job: ServedJob) -> Mapping[str, Any]:
        """Return what the tokens of a job are to say: all that cannot be looked up."""
        places = job.places or Places(folder="", home="", workspace="")
        return {
            "claim": job.claim,
            "places": [places.folder, places.home, places.workspace],
            "workflow_sha": job.workflow_sha,
        }

    def dismiss(self, job: ServedJob) -> None:
        """Forget a job; whether it has ended, the table says."""
        with self._lock:
            for known in [it for it in self._jobs if it[0] == job.claim]:
                del self._jobs[known]

    def find(self, claims: Mapping[str, Any]) -> ServedJob | None:
        """Return the job of a token, if it runs where it ran when the token was issued."""
        claim, places, sha = claims["claim"], claims["places"], claims["workflow_sha"]
        row = self._find_row(claim)
        if row is None:
            return None
        known = (claim, *places, sha)
        with self._lock:
            job = self._jobs.get(known)
        if job is None:
            folder, home, workspace = places
            found = Places(folder=folder, home=home, workspace=workspace)
            job = _make_job(self._site, row, found, sha)
            with self._lock:
                if len(self._jobs) >= _MOST_JOBS:
                    self._jobs.pop(next(iter(self._jobs)), None)
                if job is not None:
                    self._jobs[known] = job
        return job

    def name(self, job: ServedJob) -> str:
        """Return what a job is called where it holds something."""
        return job.claim

    def is_alive(self, owner: str) -> bool:
        """Tell whether the runner still has the job."""
        return self._find_row(owner) is not None

    def _find_row(self, claim: str) -> JobRow | None:
        name, _, runner = claim.rpartition(_AT)
        try:
            job = read_job_id(name)
        except InputError:
            return None
        row = find_numbered(self._site.store, job.run, job.attempt, job.number)
        if row is None or row.state != "running" or row.runner != runner:
            return None
        return row


def open_services(
    site: Site, tokens: Tokens, runner: RunnerRow, job: JobId, request: ServicesRequest
) -> ServicesAnswer:
    """Return the tokens by which a job uses the services.

    Raises:
        GoneError: it is not that runner's, or has ended.
        PlatformError: the database cannot be used.
    """
    row = require_job(site, runner, job)
    places = Places(folder=request.folder, home=request.home, workspace=request.workspace)
    served = _make_job(site, row, places, request.workflow_sha)
    if served is None:
        raise GoneError(f"the run of the job {job} has ended")
    return ServicesAnswer(tokens.issue(served), tokens.issue_for_api(served))


def make_tokens(site: Site, claims: Claims) -> Tokens:
    """Return what issues and verifies tokens.

    Raises:
        PlatformError: the key cannot be used.
    """
    return Tokens(site.now, key=read_key(site.data), jobs=claims, seconds=TOKEN_SECONDS)


def make_hosted_means(site: Site, tokens: Tokens, claims: Claims) -> Means:
    """Return what the services of a server work with."""
    mirrors = find_mirrors(site.data)
    return make_means(
        site.store,
        BlobStore(site.data / BLOBS, outlives=True),
        tokens,
        claims,
        site.now,
        identity=site.data / IDENTITY,
        find_root=lambda job: mirrors.find(job.repository),
        read_events=lambda job: read_announcements(site.store, job.run, job.attempt),
    )


def _make_job(site: Site, row: JobRow, places: Places, workflow_sha: str) -> ServedJob | None:
    """Return a job as services know it; None where its run has ended."""
    order = site.runs.find_start(row.run, row.attempt, row.job)
    if order is None:
        return None
    github = order.contexts.get("github")
    return ServedJob(
        run=row.run,
        attempt=row.attempt,
        key=order.key,
        github=github if isinstance(github, Mapping) else {},
        permissions=order.permissions,
        environment=order.environment,
        workflow_path=order.workflow.path,
        workflow_sha=workflow_sha,
        places=places,
        repository=find_repository_of(site.store, row.run),
        claim=name_claim(JobId(row.run, row.attempt, row.number), row.runner or ""),
    )
