"""Who may read a repository that a server keeps: those who run a job of it, while they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.db.jobs import find_by_token, runs_job_of
from windlass.db.runs import find_repository_of
from windlass.errors import StrangerError
from windlass.operations.hosted.credentials import JOB, digest_credential
from windlass.operations.hosted.runners import find_credential

if TYPE_CHECKING:
    from windlass.operations.hosted.site import Site


def require_reader(site: Site, repository: str, credential: str) -> None:
    """Check that whoever shows a credential runs a job of a repository.

    Raises:
        StrangerError: they do not; whether there is such a repository is not said.
    """
    if not _may_read(site, repository, credential):
        raise StrangerError(
            "the token is not that of a job of this repository which runs, or of its runner"
        )


def _may_read(site: Site, repository: str, credential: str) -> bool:
    if credential.startswith(JOB):
        job = find_by_token(site.store, digest_credential(credential))
        return job is not None and find_repository_of(site.store, job.run) == repository
    runner = find_credential(site, credential)
    return runner is not None and runs_job_of(site.store, runner.id, repository)
