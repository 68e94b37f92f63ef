"""The events under `on:`, with the activity types and filters of each.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.schema.declare import choice, either, items, key, keys, text
from windlass.lang.schema.definitions import NullDefinition
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.schema.definitions import Definition, Property

BRANCHES = ("branches", "branches-ignore")
TAGS = ("tags", "tags-ignore")
PATHS = ("paths", "paths-ignore")


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its name under `on:`, its activity types and the filters it knows."""

    name: str
    types: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()


_EDITS = ("created", "edited", "deleted")
_PULL_REQUEST_TYPES = (
    *("assigned", "unassigned", "labeled", "unlabeled", "opened", "edited", "closed", "reopened"),
    *("synchronize", "converted_to_draft", "locked", "unlocked", "enqueued", "dequeued"),
    *("milestoned", "demilestoned", "ready_for_review", "review_requested"),
    *("review_request_removed", "auto_merge_enabled", "auto_merge_disabled", "stacked"),
)
_ISSUES_TYPES = (
    *("opened", "edited", "deleted", "transferred", "pinned", "unpinned", "closed", "reopened"),
    *("assigned", "unassigned", "labeled", "unlabeled", "locked", "unlocked", "milestoned"),
    *("demilestoned", "field_added", "field_removed", "typed", "untyped"),
)
_DISCUSSION_TYPES = (
    *("created", "edited", "deleted", "transferred", "pinned", "unpinned", "labeled", "unlabeled"),
    *("locked", "unlocked", "category_changed", "answered", "unanswered"),
)
_RELEASE_TYPES = (
    *("published", "unpublished", "created", "edited", "deleted", "prereleased", "released"),
)

EVENTS = (
    Event("branch_protection_rule", _EDITS),
    Event("check_run", ("completed", "created", "rerequested", "requested_action")),
    Event("check_suite", ("completed",)),
    Event("create"),
    Event("delete"),
    Event("deployment"),
    Event("deployment_status"),
    Event("discussion", _DISCUSSION_TYPES),
    Event("discussion_comment", _EDITS),
    Event("fork"),
    Event("gollum"),
    Event("image_version", ("created", "ready", "deleted"), ("names", "versions")),
    Event("issue_comment", _EDITS),
    Event("issues", _ISSUES_TYPES),
    Event("label", _EDITS),
    Event("merge_group", ("checks_requested",), BRANCHES),
    Event("milestone", ("created", "closed", "opened", "edited", "deleted")),
    Event("page_build"),
    Event("project", ("created", "closed", "reopened", "edited", "deleted")),
    Event("project_card", ("created", "moved", "converted", "edited", "deleted")),
    Event("project_column", ("created", "updated", "moved", "deleted")),
    Event("public"),
    Event("pull_request", _PULL_REQUEST_TYPES, BRANCHES + PATHS),
    Event("pull_request_comment"),
    Event("pull_request_review", ("submitted", "edited", "dismissed")),
    Event("pull_request_review_comment", _EDITS),
    Event("pull_request_target", _PULL_REQUEST_TYPES, BRANCHES + PATHS),
    Event("push", (), BRANCHES + TAGS + PATHS),
    Event("registry_package", ("published", "updated")),
    Event("release", _RELEASE_TYPES),
    Event("repository_dispatch"),
    Event("schedule"),
    Event("status"),
    Event("watch", ("started",)),
    Event("workflow_call"),
    Event("workflow_dispatch"),
    Event("workflow_run", ("requested", "completed", "in_progress"), ("workflows", *BRANCHES)),
)
"""Every event a workflow can name, in GitHub's order."""

_FILTER_DESCRIPTIONS = {
    "branches": "Patterns of branches: at least one must match.",
    "branches-ignore": "Patterns of branches: none may match.",
    "tags": "Patterns of tags: at least one must match.",
    "tags-ignore": "Patterns of tags: none may match.",
    "paths": "Patterns of paths: at least one changed file must match.",
    "paths-ignore": "Patterns of paths: at least one changed file must match none of them.",
    "names": "Patterns of image names.",
    "versions": "Patterns of image versions.",
    "workflows": "The names of the workflows whose runs count.",
}


def event_definitions() -> dict[str, Definition]:
    """Return the definitions of `on:` and of every event that needs no more than filters."""
    definitions: dict[str, Definition] = {
        "on-strict": either("on-string-strict", "on-sequence-strict", "on-mapping-strict"),
        "on-string-strict": either(*(f"{_stem(event)}-string" for event in EVENTS)),
        "on-sequence-strict": items("on-string-strict"),
        "on-mapping-strict": keys({event.name: key(_stem(event)) for event in EVENTS}),
    }
    for event in EVENTS:
        definitions[f"{_stem(event)}-string"] = text(constant=event.name)
        if event.name not in ("schedule", "workflow_call", "workflow_dispatch"):
            definitions.update(_filtered_event(event))
    for name in _FILTER_DESCRIPTIONS:
        definitions[_filter_type(name)] = either("non-empty-string", "sequence-of-non-empty-string")
    return definitions


def _stem(event: Event) -> str:
    return event.name.replace("_", "-")


def _filter_type(name: str) -> str:
    return "workflow-run-workflows" if name == "workflows" else f"event-{name}"


def _filtered_event(event: Event) -> dict[str, Definition]:
    stem = _stem(event)
    if event.name == "pull_request_comment":  # another name for the comments of issues
        return {stem: either("null", "issue-comment-mapping")}
    properties: dict[str, Property] = {}
    definitions: dict[str, Definition] = {}
    if event.types:
        properties["types"] = key(f"{stem}-activity", "The activities that count.")
        definitions.update(_activities(stem, event.types))
    elif event.name == "repository_dispatch":
        properties["types"] = key("sequence-of-non-empty-string", "The event types that count.")
    for name in event.filters:
        properties[name] = key(_filter_type(name), _FILTER_DESCRIPTIONS[name])
    if not properties:
        return {stem: NullDefinition()}
    return {
        stem: either("null", f"{stem}-mapping"),
        f"{stem}-mapping": keys(properties),
        **definitions,
    }


def _activities(stem: str, types: tuple[str, ...]) -> dict[str, Definition]:
    one = f"{stem}-activity-type"
    return {
        f"{stem}-activity": either(one, f"{one}s"),
        f"{one}s": items(one),
        **choice(one, *types),
    }
