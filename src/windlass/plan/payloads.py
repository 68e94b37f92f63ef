"""What GitHub's webhooks say about an event, made from the facts of a local checkout.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.plan.contexts import name_ref
from windlass.plan.webhook_objects import (
    NO_COMMIT,
    make_comment,
    make_commit,
    make_discussion,
    make_issue,
    make_pull_request,
    make_repository,
    make_simple_commit,
    make_simple_pull_request,
    make_simple_repository,
    make_user,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.plan.webhook_objects import Occasion, Payload


def make_payload(event: str, occasion: Occasion) -> Payload:
    """Return `github.event` for an event that `PAYLOADS` or the common shape covers."""
    own = PAYLOADS.get(event, _nothing)(occasion)
    payload: Payload = {"action": occasion.action} if occasion.action else {}
    common = {
        "repository": make_repository(occasion.repository),
        "sender": make_user(occasion.sender),
    }
    return {**payload, **common, **own}


def _push(occasion: Occasion) -> Payload:
    repository = occasion.repository
    is_tag = occasion.ref.startswith("refs/tags/")
    before = NO_COMMIT if is_tag else repository.base_sha or NO_COMMIT
    commit = make_commit(repository)
    address = f"{repository.server_url}/{repository.full_name}"
    return {
        "ref": occasion.ref,
        "before": before,
        "after": repository.head_sha,
        "base_ref": None,
        "created": before == NO_COMMIT,
        "deleted": False,
        "forced": False,
        "compare": f"{address}/compare/{before[:12]}...{repository.head_sha[:12]}",
        "commits": [] if is_tag else [commit],
        "head_commit": commit,
        "pusher": {"name": occasion.sender, "email": repository.author_email},
        "repository": {
            **make_repository(repository),
            "url": address,
            "master_branch": repository.default_branch,
        },
    }


def _pull_request(occasion: Occasion) -> Payload:
    repository = occasion.repository
    payload: Payload = {
        "number": occasion.number,
        "pull_request": make_pull_request(occasion),
    }
    if occasion.action == "synchronize":
        payload["before"] = repository.base_sha or NO_COMMIT
        payload["after"] = repository.head_sha
    return payload


def _pull_request_review(occasion: Occasion) -> Payload:
    review = {
        "id": 1,
        "user": make_user(occasion.sender),
        "body": None,
        "state": "approved",
        "commit_id": occasion.repository.head_sha,
        "submitted_at": occasion.repository.commit_timestamp,
    }
    return {"review": review, "pull_request": make_simple_pull_request(occasion)}


def _pull_request_review_comment(occasion: Occasion) -> Payload:
    comment = {
        **make_comment(occasion),
        "path": next(iter(occasion.repository.changed_files or ()), ""),
        "commit_id": occasion.repository.head_sha,
    }
    return {"comment": comment, "pull_request": make_simple_pull_request(occasion)}


def _issues(occasion: Occasion) -> Payload:
    return {"issue": make_issue(occasion)}


def _issue_comment(occasion: Occasion) -> Payload:
    return {"issue": make_issue(occasion), "comment": make_comment(occasion)}


def _discussion(occasion: Occasion) -> Payload:
    return {"discussion": make_discussion(occasion)}


def _discussion_comment(occasion: Occasion) -> Payload:
    return {**_discussion(occasion), "comment": make_comment(occasion)}


def _release(occasion: Occasion) -> Payload:
    repository = occasion.repository
    tag = name_ref(occasion.ref)
    release = {
        "id": 1,
        "tag_name": tag,
        "target_commitish": repository.default_branch,
        "name": tag,
        "body": "",
        "draft": False,
        "prerelease": occasion.action == "prereleased",
        "html_url": f"{repository.server_url}/{repository.full_name}/releases/tag/{tag}",
        "upload_url": "",
        "author": make_user(occasion.sender),
        "assets": [],
        "created_at": repository.commit_timestamp,
        "published_at": repository.commit_timestamp,
    }
    return {"release": release}


def _schedule(occasion: Occasion) -> Payload:
    return {"schedule": occasion.cron, "workflow": None}


def _workflow_dispatch(occasion: Occasion) -> Payload:
    return {"inputs": dict(occasion.inputs), "ref": occasion.ref, "workflow": None}


def _repository_dispatch(occasion: Occasion) -> Payload:
    return {"branch": occasion.repository.default_branch, "client_payload": dict(occasion.inputs)}


def _workflow_run(occasion: Occasion) -> Payload:
    repository = occasion.repository
    run = {
        "id": 1,
        "name": "",
        "run_number": 1,
        "run_attempt": 1,
        "event": "push",
        "status": "completed" if occasion.action == "completed" else "in_progress",
        "conclusion": "success" if occasion.action == "completed" else None,
        "head_branch": repository.branch or repository.default_branch,
        "head_sha": repository.head_sha,
        "head_commit": make_simple_commit(repository),
        "head_repository": make_simple_repository(repository),
        "pull_requests": [],
        "actor": make_user(occasion.sender),
    }
    return {"workflow_run": run, "workflow": {"name": "", "path": ""}}


def _merge_group(occasion: Occasion) -> Payload:
    repository = occasion.repository
    group = {
        "head_sha": repository.head_sha,
        "head_ref": occasion.ref,
        "base_sha": repository.base_sha or NO_COMMIT,
        "base_ref": f"refs/heads/{occasion.base}",
        "head_commit": make_simple_commit(repository),
    }
    return {"merge_group": group}


def _create(occasion: Occasion) -> Payload:
    return {**_delete(occasion), "master_branch": occasion.repository.default_branch}


def _delete(occasion: Occasion) -> Payload:
    is_tag = occasion.ref.startswith("refs/tags/")
    return {
        "ref": name_ref(occasion.ref),
        "ref_type": "tag" if is_tag else "branch",
        "pusher_type": "user",
    }


def _deployment(occasion: Occasion) -> Payload:
    deployment = {
        "id": 1,
        "sha": occasion.repository.head_sha,
        "ref": name_ref(occasion.ref),
        "task": "deploy",
        "environment": "production",
        "payload": {},
        "creator": make_user(occasion.sender),
    }
    return {"deployment": deployment}


def _deployment_status(occasion: Occasion) -> Payload:
    status = {"id": 1, "state": "success", "environment": "production", "target_url": ""}
    return {**_deployment(occasion), "deployment_status": status}


def _check_suite(occasion: Occasion) -> Payload:
    suite: Payload = {
        "id": 1,
        "head_branch": occasion.repository.branch,
        "head_sha": occasion.repository.head_sha,
        "status": "completed",
        "conclusion": "success",
        "pull_requests": [],
    }
    return {"check_suite": suite}


def _check_run(occasion: Occasion) -> Payload:
    suite = _check_suite(occasion)["check_suite"]
    names = ("id", "head_sha", "status", "conclusion", "pull_requests")
    check = {name: suite[name] for name in names}
    return {"check_run": {**check, "name": "", "check_suite": suite}}


def _status(occasion: Occasion) -> Payload:
    return {"sha": occasion.repository.head_sha, "state": "success", "context": "default"}


def _nothing(_: Occasion) -> Payload:
    return {}


PAYLOADS: Final[Mapping[str, Callable[[Occasion], Payload]]] = {
    "check_run": _check_run,
    "check_suite": _check_suite,
    "create": _create,
    "delete": _delete,
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "discussion": _discussion,
    "discussion_comment": _discussion_comment,
    "issue_comment": _issue_comment,
    "issues": _issues,
    "merge_group": _merge_group,
    "pull_request": _pull_request,
    "pull_request_comment": _issue_comment,
    "pull_request_review": _pull_request_review,
    "pull_request_review_comment": _pull_request_review_comment,
    "pull_request_target": _pull_request,
    "push": _push,
    "release": _release,
    "repository_dispatch": _repository_dispatch,
    "schedule": _schedule,
    "status": _status,
    "workflow_dispatch": _workflow_dispatch,
    "workflow_run": _workflow_run,
}
"""The part of each event's payload that is its own; other events have the common part alone."""
