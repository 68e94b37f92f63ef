"""Reports of runs to GitHub: the state of their commit, and annotations of its files.

An attempt is reported as it is when the report is made, so a late one tells nothing old. Check runs
can be made by GitHub Apps alone: with another token a commit has its status, and no annotations.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from windlass.db.announcements import read_announcements
from windlass.db.repositories import find_repository
from windlass.db.runs import list_attempts
from windlass.errors import InputError
from windlass.events.addresses import Allowance
from windlass.events.github import GitHub
from windlass.git.remotes import read_remote
from windlass.model.status import Result
from windlass.operations.hosted.attempts import find_attempt
from windlass.operations.hosted.repositories import find_token
from windlass.plan.contexts import api_url
from windlass.protocol import events
from windlass.protocol.event_lines import read_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windlass.db.runs import AttemptRow
    from windlass.operations.hosted.site import Site
    from windlass.protocol.events import RunEvent

_STATES: Final = {
    None: "pending",
    Result.SUCCESS: "success",
    Result.SKIPPED: "success",
    Result.FAILURE: "failure",
    Result.CANCELLED: "error",
}
_SAID: Final = {
    None: "runs",
    Result.SUCCESS: "has succeeded",
    Result.SKIPPED: "was skipped",
    Result.FAILURE: "has failed",
    Result.CANCELLED: "was cancelled",
}
_LEVELS: Final = {"error": "failure", "warning": "warning", "notice": "notice"}
_MOST_ANNOTATIONS: Final = 500
_MOST_LETTERS: Final = 4000
_MOST_DIGITS: Final = 9
_log = logging.getLogger(__name__)


def report_attempt(site: Site, run: str, attempt: int) -> None:
    """Tell GitHub how an attempt is; nothing where its repository is not there, or has no token.

    Raises:
        PlatformError: GitHub does not answer, or it is to be tried again.
    """
    row = _find(site, run, attempt)
    repository = None if row is None else find_repository(site.store, row.run.repository)
    if row is None or repository is None:
        return
    remote, token = read_remote(repository.location), find_token(site, repository)
    if remote is None or not token:
        return
    sha = find_head(site, row)
    try:
        allowance = Allowance(site.allowed_hosts)
        github = GitHub(remote, api_url(remote.server_url), token, allowance)
        github.set_status(sha, describe_status(site, row))
        later = _find(site, run, attempt)
        if later is not None and later.result is not row.result:
            # It has ended meanwhile, and its end may have been reported before this.
            row = later
            github.set_status(sha, describe_status(site, row))
        if row.result is not None:
            github.put_check(sha, describe_check(site, row))
    except InputError as error:
        _log.warning("run %s is not reported to %s: %s", run, remote.server_url, error.message)


def find_head(site: Site, row: AttemptRow) -> str:
    """Return the commit whose page shows a run: of a pull request its head, not the merge."""
    event = find_attempt(site.store, row.run.id, row.attempt).event
    pull_request: Any = event.payload.get("pull_request")
    head = pull_request.get("head") if isinstance(pull_request, dict) else None
    sha = head.get("sha") if isinstance(head, dict) else None
    return sha if isinstance(sha, str) else event.sha


def describe_status(site: Site, row: AttemptRow) -> dict[str, str]:
    """Return the status of a commit, as GitHub takes it."""
    return {
        "state": _STATES[row.result],
        "context": _name(row),
        "description": f"Run {row.run.number} {_SAID[row.result]}",
        "target_url": _link(site, row),
    }


def describe_check(site: Site, row: AttemptRow) -> dict[str, Any]:
    """Return the check run of an attempt that has ended, with its annotations."""
    told = list(_read(site, row))
    conclusion = "neutral" if row.result is Result.SKIPPED else str(row.result)
    return {
        "name": _name(row),
        "external_id": f"{row.run.id}/{row.attempt}",
        "details_url": _link(site, row),
        "status": "completed",
        "started_at": _format(row.started),
        "completed_at": _format(row.finished or row.started),
        "conclusion": conclusion,
        "output": {
            "title": f"Run {row.run.number} {_SAID[row.result]}",
            "summary": "\n".join(_list_jobs(told))[:_MOST_LETTERS] or "No job has run.",
            "annotations": list(_list_annotations(told))[:_MOST_ANNOTATIONS],
        },
    }


def _list_jobs(told: Iterable[RunEvent]) -> Iterator[str]:
    for event in told:
        if isinstance(event, events.JobFinished):
            yield f"- {event.name}: {event.result}, {event.seconds:.1f} s"


def _list_annotations(told: Iterable[RunEvent]) -> Iterator[dict[str, Any]]:
    """Yield what is said of places in files; GitHub takes no other."""
    for event in told:
        if isinstance(event, events.Annotation) and event.properties.get("file"):
            said = event.properties
            start = _count(said.get("line", ""))
            yield {
                "path": said["file"],
                "start_line": start,
                "end_line": max(start, _count(said.get("endLine", ""))),
                "annotation_level": _LEVELS.get(event.level, "notice"),
                "message": event.message[:_MOST_LETTERS] or event.level,
                "title": said.get("title", "")[:255],
            }


def _count(text: str) -> int:
    # A job may say any number, and Python reads none of thousands of digits.
    is_line = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return max(int(text), 1) if is_line else 1


def _read(site: Site, row: AttemptRow) -> Iterator[RunEvent]:
    for line in read_announcements(site.store, row.run.id, row.attempt):
        found = read_event(line)
        if found is not None:
            yield found[0]


def _find(site: Site, run: str, attempt: int) -> AttemptRow | None:
    found = (row for row in list_attempts(site.store, run) if row.attempt == attempt)
    return next(found, None)


def _name(row: AttemptRow) -> str:
    return f"{row.run.workflow} ({row.run.event})"


def _link(site: Site, row: AttemptRow) -> str:
    return f"{site.address}/api/v1/runs/{row.run.id}"


def _format(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
