"""What a server gives a runner to run one job: everything it needs, and nothing pickled.

The job itself goes as the text of its workflow file, which the runner reads again, and as what the
plan has evaluated: its contexts, labels, limits and permissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.lang.workflow.model import Job
from windlass.lang.workflow.reading import read_workflow
from windlass.model.action_sources import ActionSources
from windlass.model.repository import Repository
from windlass.model.values import dataclass, field
from windlass.plan.orders import StartJob
from windlass.protocol.members import (
    as_count,
    as_flag,
    as_object,
    as_text,
    as_text_by_name,
    as_texts,
    or_none,
    refuse,
    take,
)
from windlass.protocol.runner import VERSION, JobId, read_job_id, require_version
from windlass.protocol.values import decode_value, encode_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.workflow.model import PermissionLevel, Workflow

_LEVELS: Final = ("none", "read", "write")
_REPOSITORY_TEXTS: Final = (
    "owner",
    "name",
    "head_sha",
    "default_branch",
    "server_url",
    "author_name",
    "author_email",
    "commit_message",
    "commit_timestamp",
)
_REPOSITORY_OPTIONAL: Final = ("base_sha", "branch", "tag")
_MARK: Final = "protocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitAccess:
    """Where a runner gets the repository's commits: a URL, and the token to show there.

    `repository` is the server's id of the repository: a runner keeps one mirror for each. `url` is
    a path of the server where it begins with a slash.
    """

    repository: str
    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One job to run.

    `text` is the file of the order's workflow. The order has no handovers: `secrets` are what is
    left for this job. `env` is given to every process of the job. The repository has no root: the
    runner has it where it likes. `sha` and `ref` are the event's. `asks_api` is whether the
    workflow names GitHub's API or a token for it. Only with `allow_host` may the job run on the
    machine itself, and only where the runner lets it. `places` says by label where jobs run, where
    the server decides that.
    """

    job: JobId
    order: StartJob
    text: str
    repository: Repository
    sha: str
    ref: str
    git: GitAccess
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    env: Mapping[str, str] = field(default_factory=dict)
    sources: ActionSources = ActionSources()
    places: Mapping[str, str] = field(default_factory=dict)
    asks_api: bool = False
    allow_host: bool = False


def encode_assignment(assignment: Assignment) -> dict[str, Any]:
    """Return an assignment as an object of JSON, for `PollAnswer.assignments`."""
    it = assignment
    return {
        _MARK: VERSION,
        "job": str(it.job),
        "order": encode_order(it.order, it.text),
        "repository": _encode_repository(it.repository),
        "sha": it.sha,
        "ref": it.ref,
        "git": {"repository": it.git.repository, "url": it.git.url, "token": it.git.token},
        "secrets": dict(it.secrets),
        "env": dict(it.env),
        "sources": {
            "folders": dict(it.sources.folders),
            "urls": list(it.sources.urls),
            "pins": dict(it.sources.pins),
            "offline": it.sources.offline,
        },
        "places": dict(it.places),
        "asks_api": it.asks_api,
        "allow_host": it.allow_host,
    }


def decode_assignment(values: Mapping[str, Any]) -> Assignment:
    """Return the assignment that `encode_assignment` was given.

    Raises:
        InputError: it is none, or one that this version does not understand.
    """
    name = "the assignment"
    require_version(take(values, _MARK, as_count, name))
    order, text = decode_order(take(values, "order", as_object, name))
    return Assignment(
        job=find_job_id(values),
        order=order,
        text=text,
        repository=take(values, "repository", _read_repository, name),
        sha=take(values, "sha", as_text, name),
        ref=take(values, "ref", as_text, name),
        git=take(values, "git", _read_git, name),
        secrets=take(values, "secrets", as_text_by_name, name, {}),
        env=take(values, "env", as_text_by_name, name, {}),
        sources=take(values, "sources", _read_sources, name, ActionSources()),
        places=take(values, "places", as_text_by_name, name, {}),
        asks_api=take(values, "asks_api", as_flag, name, default=False),
        allow_host=take(values, "allow_host", as_flag, name, default=False),
    )


def find_job_id(values: Mapping[str, Any]) -> JobId:
    """Return the job that an assignment is of, although the rest may not be understood.

    Raises:
        InputError: it does not say.
    """
    return read_job_id(take(values, "job", as_text, "the assignment"))


def encode_order(order: StartJob, text: str) -> dict[str, Any]:
    """Return the order to start a job as data of JSON; `text` is the file of its workflow."""
    return {
        "key": order.key,
        "name": order.name,
        "job": order.job.id,
        "workflow": {"path": order.workflow.path, "text": text},
        "contexts": {name: encode_value(value) for name, value in order.contexts.items()},
        "labels": list(order.labels),
        "environment": order.environment,
        "timeout_minutes": order.timeout_minutes,
        "cancel_timeout_minutes": order.cancel_timeout_minutes,
        "continue_on_error": order.continue_on_error,
        "path": list(order.path),
        "permissions": dict(order.permissions),
    }


def decode_order(values: Mapping[str, Any]) -> tuple[StartJob, str]:
    """Return the order that was encoded, without its handovers, and the text of its workflow.

    The workflow is read without those it calls, of which the job knows nothing.

    Raises:
        InputError: it is none, or its workflow cannot be read here.
    """
    name = "the order"
    written = take(values, "workflow", as_object, name)
    text = take(written, "text", as_text, "the workflow of the order")
    workflow = _read_file(take(written, "path", as_text, "the workflow of the order"), text)
    order = StartJob(
        key=take(values, "key", as_text, name),
        name=take(values, "name", as_text, name),
        job=_find_job(workflow, take(values, "job", as_text, name)),
        workflow=workflow,
        contexts=take(values, "contexts", _read_contexts, name),
        labels=take(values, "labels", as_texts, name),
        environment=take(values, "environment", or_none(as_text), name),
        timeout_minutes=take(values, "timeout_minutes", as_count, name),
        cancel_timeout_minutes=take(values, "cancel_timeout_minutes", as_count, name),
        continue_on_error=take(values, "continue_on_error", as_flag, name),
        path=take(values, "path", as_texts, name),
        permissions=take(values, "permissions", _read_permissions, name),
    )
    return order, text


def _read_file(path: str, text: str) -> Workflow:
    reading = read_workflow(path, text.encode("utf-8", "surrogateescape"))
    if reading.workflow is None:
        raise refuse(
            f"the workflow {path} cannot be read here: {reading.diagnostics[0].message}",
            "use the same version of Windlass on the server and on the runner",
        )
    return reading.workflow


def _find_job(workflow: Workflow, name: str) -> Job:
    for job in workflow.jobs:
        if job.id == name and isinstance(job, Job):
            return job
    raise refuse(f"the workflow {workflow.path} has no job '{name}' with steps")


def _read_contexts(value: Any, name: str) -> dict[str, Any]:
    try:
        return {key: decode_value(it) for key, it in as_object(value, name).items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise refuse(f"{name} are not values of expressions: {error}") from error


def _read_permissions(value: Any, name: str) -> dict[str, PermissionLevel]:
    levels: dict[str, Any] = as_text_by_name(value, name)
    for scope, level in levels.items():
        if level not in _LEVELS:
            raise refuse(
                f"'{scope}' in {name} is '{level}'; one of {', '.join(_LEVELS)} was expected"
            )
    return levels


def _encode_repository(repository: Repository) -> dict[str, Any]:
    names = (*_REPOSITORY_TEXTS, *_REPOSITORY_OPTIONAL)
    return {name: getattr(repository, name) for name in names}


def _read_repository(value: Any, name: str) -> Repository:
    values = as_object(value, name)
    facts: dict[str, Any] = {it: take(values, it, as_text, name) for it in _REPOSITORY_TEXTS}
    facts |= {it: take(values, it, or_none(as_text), name) for it in _REPOSITORY_OPTIONAL}
    return Repository(root="", **facts)


def _read_git(value: Any, name: str) -> GitAccess:
    values = as_object(value, name)
    return GitAccess(
        repository=take(values, "repository", as_text, name),
        url=take(values, "url", as_text, name),
        token=take(values, "token", as_text, name),
    )


def _read_sources(value: Any, name: str) -> ActionSources:
    values = as_object(value, name)
    return ActionSources(
        folders=take(values, "folders", as_text_by_name, name, {}),
        urls=take(values, "urls", as_texts, name, ()),
        pins=take(values, "pins", as_text_by_name, name, {}),
        offline=take(values, "offline", as_flag, name, default=False),
    )
