"""Whether an event starts a workflow: its name, activity type, branches, tags and paths.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#on
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.plan.decision import Decision, Verdict
from windlass.plan.filters import match_any, match_ignored, match_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.lang.workflow.model import EventFilter, Pattern, Workflow
    from windlass.plan.event import Event

_DEFAULT_TYPES: Final = {
    "pull_request": ("opened", "synchronize", "reopened"),
    "pull_request_target": ("opened", "synchronize", "reopened"),
}
"""The activity types that count where `types` is not given; for other events all do."""

_PATH_EVENTS: Final = frozenset({"push", "pull_request", "pull_request_target"})
_MOST_NAMES_SHOWN: Final = 5


def decide_workflow(workflow: Workflow, event: Event) -> Decision:
    """Decide whether an event starts a workflow; the reason names the filter that decided."""
    trigger = workflow.triggers.events.get(event.name)
    if trigger is None:
        named = _enumerate(tuple(workflow.triggers.events))
        return Decision(Verdict.SKIP, f"'on' names {named}, not {event.name}", "on")
    refusal = (
        _check_type(trigger, event)
        or _check_source(trigger, event)
        or _check_schedule(workflow, event)
        or _check_ref(trigger, event)
        or _check_paths(trigger, event)
    )
    return refusal or Decision(Verdict.RUN, _describe(trigger, event), f"on.{event.name}")


def _check_type(trigger: EventFilter, event: Event) -> Decision | None:
    action = event.action
    types = _texts(trigger.types) or _DEFAULT_TYPES.get(event.name)
    if action is None or not types or action in types:
        return None
    reason = f"the activity type is '{action}', not {_enumerate(types, ' or ')}"
    return _skip(event, "types", reason, action, types)


def _check_source(trigger: EventFilter, event: Event) -> Decision | None:
    """Check what workflow_run and image_version say about where the event comes from."""
    for key, patterns, name in (
        ("workflows", trigger.workflows, _find(event, "workflow_run", "name")),
        ("names", trigger.names, _find(event, "image_version", "name")),
        ("versions", trigger.versions, _find(event, "image_version", "version")),
    ):
        texts = _texts(patterns)
        if texts and name and not match_names(texts, name).matched:
            return _skip(event, key, f"'{name}' matches none of {_enumerate(texts)}", name, texts)
    return None


def _check_schedule(workflow: Workflow, event: Event) -> Decision | None:
    if event.name != "schedule":
        return None
    cron = event.payload.get("schedule")
    crons = tuple(schedule.cron for schedule in workflow.triggers.schedules)
    if not cron or cron in crons:
        return None
    return _skip(event, "cron", f"it runs at {_enumerate(crons)}, not at {cron}", str(cron), crons)


def _check_ref(trigger: EventFilter, event: Event) -> Decision | None:
    tag = event.tag if event.name == "push" else None
    if tag is not None:
        if trigger.tags is None and trigger.tags_ignore is None and _filters_branches(trigger):
            reason = f"only branches are filtered, so the tag '{tag}' does not count"
            return _skip(event, "branches", reason, tag, _texts(trigger.branches))
        return _check_name(event, "tag", tag, trigger.tags, trigger.tags_ignore)
    branch = _find_branch(event)
    if branch is None:
        return None
    if trigger.branches is None and trigger.branches_ignore is None and _filters_tags(trigger):
        reason = f"only tags are filtered, so the branch '{branch}' does not count"
        return _skip(event, "tags", reason, branch, _texts(trigger.tags))
    return _check_name(event, "branch", branch, trigger.branches, trigger.branches_ignore)


def _check_name(
    event: Event,
    noun: str,
    name: str,
    wanted: tuple[Pattern, ...] | None,
    ignored: tuple[Pattern, ...] | None,
) -> Decision | None:
    key = "branches" if noun == "branch" else "tags"
    if wanted is not None:
        patterns = _texts(wanted)
        match = match_names(patterns, name)
        if match.matched:
            return None
        if match.pattern is not None:
            reason = f"{noun} '{name}' is taken out by '{match.pattern}'"
        else:
            wanted_texts = _enumerate(patterns) if patterns else f"'{key}', which is empty"
            reason = f"{noun} '{name}' matches none of {wanted_texts}"
        return _skip(event, key, reason, name, patterns)
    patterns = _texts(ignored)
    match = match_names(patterns, name)
    if not match.matched:
        return None
    reason = f"{noun} '{name}' is ignored by '{match.pattern}'"
    return _skip(event, f"{key}-ignore", reason, name, patterns)


def _check_paths(trigger: EventFilter, event: Event) -> Decision | None:
    """Check the changed files; tags have none, and what cannot be known counts as matching."""
    files = event.changed_files
    if event.name not in _PATH_EVENTS or event.tag is not None or files is None:
        return None
    if trigger.paths is not None:
        patterns = _texts(trigger.paths)
        if match_any(patterns, files)[1] is not None:
            return None
        reason = f"{_count(files)} and none matches {_enumerate(patterns)}"
        return _skip(event, "paths", reason, list(files), patterns)
    patterns = _texts(trigger.paths_ignore)
    if not patterns or not files or match_ignored(patterns, files) is not None:
        return None
    reason = f"{_count(files)} and all are ignored by {_enumerate(patterns)}"
    return _skip(event, "paths-ignore", reason, list(files), patterns)


def _describe(trigger: EventFilter, event: Event) -> str:
    """Say what let the event through."""
    filters_paths = trigger.paths is not None or trigger.paths_ignore is not None
    if filters_paths and event.tag is None and event.name in _PATH_EVENTS:
        if event.changed_files is None:
            return "nobody can say which files changed, so the path filter counts as matching"
        if trigger.paths is not None:
            match, path = match_any(_texts(trigger.paths), event.changed_files)
            return f"the changed file '{path}' matches '{match.pattern}'"
    is_tag = event.name == "push" and event.tag is not None
    name = event.tag if is_tag else _find_branch(event)
    wanted = trigger.tags if is_tag else trigger.branches
    if name is not None and wanted is not None:
        pattern = match_names(_texts(wanted), name).pattern
        return f"{'tag' if is_tag else 'branch'} '{name}' matches '{pattern}'"
    return f"'on' names {event.name}"


def _skip(event: Event, key: str, reason: str, found: Any, wanted: Sequence[str]) -> Decision:
    expression = f"on.{event.name}.{key}"
    return Decision(Verdict.SKIP, reason, expression, (("found", found), (key, list(wanted))))


def _find_branch(event: Event) -> str | None:
    """Return the branch that `branches` is about; None where the event has none."""
    if event.name == "workflow_run":
        return _find(event, "workflow_run", "head_branch") or None
    if event.name == "merge_group":
        return _find(event, "merge_group", "base_ref").removeprefix("refs/heads/") or None
    return event.branch


def _find(event: Event, key: str, member: str) -> str:
    value: Any = event.payload.get(key)
    found = value.get(member) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _filters_branches(trigger: EventFilter) -> bool:
    return trigger.branches is not None or trigger.branches_ignore is not None


def _filters_tags(trigger: EventFilter) -> bool:
    return trigger.tags is not None or trigger.tags_ignore is not None


def _texts(patterns: tuple[Pattern, ...] | None) -> tuple[str, ...]:
    return tuple(pattern.text for pattern in patterns or ())


def _count(files: Sequence[str]) -> str:
    if not files:
        return "no file changed"
    return "1 file changed" if len(files) == 1 else f"{len(files)} files changed"


def _enumerate(names: Sequence[str], separator: str = ", ") -> str:
    shown = [f"'{name}'" for name in names[:_MOST_NAMES_SHOWN]]
    rest = len(names) - len(shown)
    return separator.join(shown) + (f" and {rest} more" if rest > 0 else "")
