"""The contexts a plan knows before any job has run: `github`, `inputs`, `vars`, `needs`.

What only GitHub's servers know has a stand-in here, listed in docs/concepts/events.md.
Source: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#github-context
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.expressions import Value
    from windlass.lang.workflow.model import Workflow
    from windlass.model.repository import Repository
    from windlass.plan.event import Event

RETENTION_DAYS: Final = "90"
_ID_DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class RunIdentity:
    """Which run this is: all three count from 1 and are strings in the `github` context."""

    id: int = 1
    number: int = 1
    attempt: int = 1


_FIRST_RUN: Final = RunIdentity()


def make_github_context(
    event: Event,
    repository: Repository,
    workflow: Workflow,
    run: RunIdentity = _FIRST_RUN,
) -> dict[str, Value]:
    """Return the `github` context of a run, without what belongs to one job.

    The job adds `job`, `workspace`, `event_path`, `action` and its like, and `token` where the
    run's secrets hold one.
    """
    server = repository.server_url
    return {
        **_identify(event, repository, run),
        "workflow": name_workflow(workflow),
        **_describe_event(event),
        "server_url": server,
        "api_url": api_url(server),
        "graphql_url": _graphql_url(server),
        **_describe_ref(event.ref),
        "secret_source": "Actions",
        "workflow_ref": f"{repository.full_name}/{workflow.path}@{event.ref}",
        "workflow_sha": event.sha,
        "job_workflow_sha": event.sha,
    }


def _identify(event: Event, repository: Repository, run: RunIdentity) -> dict[str, Value]:
    """Return which run this is, of which commit, repository and person."""
    return {
        "token": "",
        "ref": event.ref,
        "sha": event.sha,
        "repository": repository.full_name,
        "repository_owner": repository.owner,
        "repository_owner_id": stand_in_id(repository.owner),
        "repositoryUrl": _git_url(repository),
        "run_id": str(run.id),
        "run_number": str(run.number),
        "run_attempt": str(run.attempt),
        "retention_days": RETENTION_DAYS,
        "artifact_cache_size_limit": "10",
        "repository_visibility": "private",
        "repository_id": stand_in_id(repository.full_name),
        "actor_id": stand_in_id(event.actor),
        "actor": event.actor,
        "triggering_actor": event.actor,
    }


def _describe_event(event: Event) -> dict[str, Value]:
    return {
        "head_ref": event.head_ref,
        "base_ref": event.base_ref,
        "event_name": event.name,
        "event": event.payload,
    }


def _describe_ref(ref: str) -> dict[str, Value]:
    return {
        "ref_name": name_ref(ref),
        "ref_protected": False,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
    }


def name_workflow(workflow: Workflow) -> str:
    """Return the name of a workflow: what `name:` says, else its path."""
    return workflow.name or workflow.path


def name_ref(ref: str) -> str:
    """Return the short name of a ref: `main`, `v1.0`, `42/merge`."""
    for prefix in ("refs/heads/", "refs/tags/", "refs/pull/"):
        if ref.startswith(prefix):
            return ref.removeprefix(prefix)
    return ref


def stand_in_id(name: str) -> str:
    """Return a number in place of an id that only GitHub knows: the same for the same name."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    return str(int(digest, 16) % 10**_ID_DIGITS + 10**_ID_DIGITS)


def _git_url(repository: Repository) -> str:
    host = repository.server_url.partition("://")[2]
    return f"git://{host}/{repository.full_name}.git"


def api_url(server: str) -> str:
    """Return the REST address: its own host on github.com, a path on other servers."""
    if server == "https://github.com":
        return "https://api.github.com"
    return f"{server}/api/v3"


def _graphql_url(server: str) -> str:
    if server == "https://github.com":
        return "https://api.github.com/graphql"
    return f"{server}/api/graphql"
