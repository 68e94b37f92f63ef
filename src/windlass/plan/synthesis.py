"""From the facts of a checkout and the name of an event: the event as GitHub would send it.

Which commit and ref an event is about: docs/concepts/events.md, and
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.lang.diagnostics import Diagnostic
from windlass.lang.schema.events import EVENTS
from windlass.model.values import dataclass, field
from windlass.plan.event import Event
from windlass.plan.payloads import make_payload
from windlass.plan.webhook_objects import Occasion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.model.repository import Repository

PULL_REQUEST_EVENTS: Final = frozenset({"pull_request", "pull_request_target"})
REVIEW_EVENTS: Final = frozenset({"pull_request_review", "pull_request_review_comment"})
REF_EVENTS: Final = frozenset({"push", "create", "delete", "workflow_dispatch", "deployment"})
"""Events about the ref that is checked out; all others but those above are about the default."""

_USUAL_ACTIONS: Final = {
    "check_run": "completed",
    "milestone": "opened",
    "pull_request": "opened",
    "pull_request_target": "opened",
    "release": "published",
    "workflow_run": "completed",
}
"""The activity type where the user names none and the first one is not the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWishes:
    """What a user may choose about an event; all else follows from the checkout.

    `payload` is laid over the synthesised one, key by key: what an event file says wins.
    """

    action: str | None = None
    ref: str | None = None
    base: str | None = None
    number: int = 1
    cron: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)


_NO_WISHES: Final = EventWishes()


def synthesise_event(
    name: str, repository: Repository, wishes: EventWishes = _NO_WISHES
) -> Event | Diagnostic:
    """Return the event, or what is wrong with its name or activity type."""
    known = {event.name: event for event in EVENTS}
    if name not in known or name == "workflow_call":
        return _refuse_name(name, tuple(known))
    types = known[name].types
    action = _choose_action(name, types, wishes)
    if types and action not in types:
        return _refuse_action(name, action, types)
    occasion = Occasion(
        repository=repository,
        ref=_choose_ref(name, repository, wishes),
        action=action,
        head=repository.branch or repository.head_sha,
        base=wishes.base or repository.default_branch,
        number=wishes.number,
        cron=wishes.cron,
        inputs=wishes.inputs,
    )
    payload = _lay_over(make_payload(name, occasion), wishes.payload)
    return _describe(name, occasion, payload, wishes)


def _describe(
    name: str, occasion: Occasion, payload: Mapping[str, Any], wishes: EventWishes
) -> Event:
    """Return the event a payload tells of; what the payload says wins over the checkout."""
    repository = occasion.repository
    sha, ref, head_ref, base_ref = repository.head_sha, occasion.ref, "", ""
    if name in PULL_REQUEST_EVENTS | REVIEW_EVENTS:
        pull_request = _side(payload, "pull_request")
        number = pull_request.get("number", occasion.number)
        head, base = _side(pull_request, "head"), _side(pull_request, "base")
        head_ref, base_ref = _text(head, "ref"), _text(base, "ref")
        sha = _text(head, "sha") or sha
        ref = f"refs/pull/{number}/merge"
        if name == "pull_request_target":
            ref, sha = f"refs/heads/{base_ref}", _text(base, "sha") or sha
    elif name == "push":
        ref, sha = _text(payload, "ref") or ref, _text(payload, "after") or sha
    elif name == "release":
        ref = f"refs/tags/{_text(_side(payload, 'release'), 'tag_name')}"
    return Event(
        name=name,
        payload=payload,
        sha=sha,
        ref=ref,
        base_ref=base_ref,
        head_ref=head_ref,
        actor=_text(_side(payload, "sender"), "login") or occasion.sender,
        changed_files=_find_changes(repository, wishes.payload),
    )


def _choose_action(name: str, types: tuple[str, ...], wishes: EventWishes) -> str:
    written = wishes.payload.get("action")
    if isinstance(written, str):
        return written
    if wishes.action is not None:
        return wishes.action
    return _USUAL_ACTIONS.get(name) or (types[0] if types else "")


def _choose_ref(name: str, repository: Repository, wishes: EventWishes) -> str:
    if wishes.ref is not None:
        return wishes.ref if wishes.ref.startswith("refs/") else f"refs/heads/{wishes.ref}"
    default = f"refs/heads/{repository.default_branch}"
    if name == "release":
        return f"refs/tags/{repository.tag or 'v0.0.0'}"
    if name == "merge_group":
        base = wishes.base or repository.default_branch
        queue = f"gh-readonly-queue/{base}/pr-{wishes.number}-{repository.head_sha}"
        return f"refs/heads/{queue}"
    current = repository.ref
    return current if name in REF_EVENTS and current.startswith("refs/") else default


def _lay_over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two payloads: mappings key by key, anything else as the upper one has it."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _lay_over(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _find_changes(repository: Repository, written: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the changed files: those of the commits an event file lists, else the checkout's."""
    commits = written.get("commits")
    if not isinstance(commits, list):
        return repository.changed_files
    found: dict[str, None] = {}
    for commit in commits:
        for kind in ("added", "modified", "removed"):
            files = commit.get(kind) if isinstance(commit, dict) else None
            if isinstance(files, list):
                found.update((str(path), None) for path in files)
    return tuple(found)


def _side(payload: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


def _text(payload: Mapping[str, Any], key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _refuse_name(name: str, known: tuple[str, ...]) -> Diagnostic:
    if name == "workflow_call":
        return Diagnostic(
            code="unknown-event",
            message="'workflow_call' is no event that happens: a job of another workflow calls",
            hint="run the event that starts the calling workflow",
        )
    near = find_near(name, known)
    hint = f"did you mean {' or '.join(repr(item) for item in near)}?" if near else None
    return Diagnostic(
        code="unknown-event",
        message=f"'{name}' is not an event of GitHub Actions",
        hint=hint or f"events are {', '.join(item for item in known if item != 'workflow_call')}",
    )


def _refuse_action(name: str, action: str, types: tuple[str, ...]) -> Diagnostic:
    near = find_near(action, types)
    hint = f"did you mean {' or '.join(repr(item) for item in near)}?" if near else None
    return Diagnostic(
        code="unknown-activity-type",
        message=f"'{action}' is not an activity type of {name}",
        hint=hint or f"its types are {', '.join(types)}",
    )


def find_near(word: str, known: tuple[str, ...]) -> list[str]:
    """Return the known words that the user may have meant, at most three."""
    from difflib import get_close_matches  # needed for mistakes only

    folded = word.lower().replace("-", "_")
    exact = [item for item in known if item == folded]
    return exact or get_close_matches(folded, known)
