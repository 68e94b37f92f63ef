"""Workflows that follow others, `on: workflow_run`: what is told of a run to its repository.

It is told as a delivery, like what GitHub would tell, and starts workflows of the default branch.
Of runs that were started so others follow too, up to a depth.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_run
and https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from windlass.db.deliveries import find_delivery
from windlass.db.repositories import find_repository
from windlass.db.runs import list_attempts
from windlass.lang.schema.events import EVENTS
from windlass.operations.hosted.attempts import find_attempt
from windlass.operations.hosted.deliveries import accept_delivery
from windlass.plan.contexts import api_url, stand_in_id
from windlass.plan.webhook_objects import make_simple_commit, make_simple_repository, make_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windlass.db.followers import Moment
    from windlass.db.runs import AttemptRow
    from windlass.lang.workflow.model import Workflow
    from windlass.operations.definitions import Definition
    from windlass.operations.hosted.site import Site
    from windlass.plan.event import Event

WORKFLOW_RUN: Final = "workflow_run"
MOST_LEVELS: Final = 3
"""So many runs may follow each other behind the first one."""

_STATUS: Final = {"requested": "queued", "in_progress": "in_progress", "completed": "completed"}


def list_followed(workflows: Iterable[Workflow]) -> Iterator[str]:
    """Yield the moments of runs of which some workflows want to hear."""
    every = next(event.types for event in EVENTS if event.name == WORKFLOW_RUN)
    for workflow in workflows:
        trigger = workflow.triggers.events.get(WORKFLOW_RUN)
        if trigger is not None:
            yield from [it.text for it in trigger.types] if trigger.types else every


def follow_run(site: Site, run: str, attempt: int, moment: Moment) -> None:
    """Tell a repository of a moment of one of its runs, which may start others. Done once.

    Raises:
        PlatformError: the database cannot be used.
    """
    if moment == "requested" and attempt > 1:
        # A run that is run again was requested before.
        return
    row = next((it for it in list_attempts(site.store, run) if it.attempt == attempt), None)
    repository = None if row is None else find_repository(site.store, row.run.repository)
    if row is None or repository is None:
        return
    level = _find_level(site, row) + 1
    if level > MOST_LEVELS:
        return
    payload = describe_run(site, row, moment)
    guid = f"{WORKFLOW_RUN}/{level}/{run}/{attempt}/{moment}"
    accept_delivery(site, repository, guid, WORKFLOW_RUN, json.dumps(payload))


def _find_level(site: Site, row: AttemptRow) -> int:
    """Return how many runs this one has followed; 0 for what was not started by a run."""
    if row.run.event != WORKFLOW_RUN:
        return 0
    delivery = find_delivery(site.store, row.run.delivery or "")
    words = [] if delivery is None else delivery.guid.split("/")
    # Of GitHub's own runs, and of a delivery that was forgotten, nobody knows what came before.
    return int(words[1]) if len(words) == 5 and words[0] == WORKFLOW_RUN else MOST_LEVELS


def describe_run(site: Site, row: AttemptRow, moment: Moment) -> dict[str, Any]:
    """Return what of a run is its own in the payload; the rest is that of the repository."""
    definition = find_attempt(site.store, row.run.id, row.attempt)
    repository, event = definition.repository, definition.event
    api = f"{api_url(repository.server_url)}/repos/{repository.full_name}/actions"
    own = f"{api}/runs/{row.run.id}"
    workflow = {
        "id": int(stand_in_id(f"{repository.full_name}/{row.run.path}")),
        "name": row.run.workflow,
        "path": row.run.path,
        "state": "active",
    }
    started = _format(row.started)
    is_over = moment == "completed" and row.result is not None
    facts = {
        "id": int(row.run.id),
        "name": row.run.workflow,
        "path": row.run.path,
        "run_number": row.run.number,
        "run_attempt": row.attempt,
        "event": row.run.event,
        "status": _STATUS[moment],
        "conclusion": str(row.result) if is_over else None,
        "workflow_id": workflow["id"],
        "display_title": definition.repository.commit_message.partition("\n")[0],
        "created_at": _format(row.run.created),
        "run_started_at": started,
        "updated_at": _format(row.finished or row.started) if is_over else started,
        "actor": make_user(event.actor),
        "triggering_actor": make_user(event.actor),
        "url": own,
        "html_url": f"{site.address}/api/v1/runs/{row.run.id}",
        "jobs_url": f"{own}/jobs",
        "logs_url": f"{own}/logs",
        "artifacts_url": f"{own}/artifacts",
        "cancel_url": f"{own}/cancel",
        "rerun_url": f"{own}/rerun",
        "previous_attempt_url": f"{own}/attempts/{row.attempt - 1}" if row.attempt > 1 else None,
        "workflow_url": f"{api}/workflows/{workflow['id']}",
        "head_commit": make_simple_commit(repository),
        "repository": make_simple_repository(repository),
        **_describe_head(definition),
    }
    return {
        "action": moment,
        "workflow_run": facts,
        "workflow": workflow,
        "sender": make_user(event.actor),
    }


def _describe_head(definition: Definition) -> dict[str, Any]:
    """Return which code a run was of; of a pull request that which it proposes."""
    event = definition.event
    own = make_simple_repository(definition.repository)
    pull_request: Any = event.payload.get("pull_request")
    if not isinstance(pull_request, dict):
        return {
            "head_branch": event.head_ref or _find_branch(event),
            "head_sha": event.sha,
            "head_repository": own,
            "pull_requests": [],
        }
    head: Any = pull_request.get("head")
    head = head if isinstance(head, dict) else {}
    theirs = head.get("repo")
    names = ("number", "head", "base")
    shown = {name: pull_request[name] for name in names if name in pull_request}
    return {
        "head_branch": event.head_ref,
        "head_sha": head.get("sha", event.sha),
        "head_repository": theirs if isinstance(theirs, dict) else own,
        # Those of other repositories are not named, as by GitHub.
        "pull_requests": [] if definition.from_fork else [shown],
    }


def _find_branch(event: Event) -> str:
    """Return the name of the branch of a run, or that of its tag."""
    return event.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def _format(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
