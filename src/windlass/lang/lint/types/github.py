"""The type of the `github` context, as far as the workflow's triggers fix it.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#github-context
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.lint.types.kinds import ANY, TEXT, Record, Text, Type

if TYPE_CHECKING:
    from windlass.lang.workflow.model import EventFilter, Triggers, Workflow

_TEXTS = (
    *("action", "action_path", "action_ref", "action_repository", "action_status", "actor"),
    *("actor_id", "api_url", "artifacts", "artifacts_list", "base_ref", "env", "event_path"),
    *("graphql_url", "head_ref", "job", "job_workflow_sha", "output", "path", "ref_name"),
    *("repository", "repository_id", "repository_owner", "repository_owner_id"),
    *("repositoryurl", "repository_visibility", "retention_days", "run_attempt", "run_id"),
    *("run_number", "secret_source", "server_url", "sha", "state", "step_summary", "token"),
    *("triggering_actor", "workflow", "workflow_ref", "workflow_sha", "workspace"),
)
_GLOB = frozenset("*?+[]!\\")


def github_type(workflow: Workflow) -> Type:
    """Return what `github` holds in any place of a workflow."""
    triggers = workflow.triggers
    members: dict[str, Type] = dict.fromkeys(_TEXTS, TEXT)
    members["ref_protected"] = ANY
    members["event"] = _event_type(triggers)
    members["event_name"] = _event_name(triggers)
    members["ref"] = _ref(triggers)
    members["ref_type"] = Text(values=frozenset({"branch", "tag", ""}))
    return Record(members=members)


def _event_name(triggers: Triggers) -> Type:
    names = set(triggers.events)
    if "workflow_call" in names:
        return TEXT
    return Text(values=frozenset(names), is_fixed=False)


def _ref(triggers: Triggers) -> Type:
    branches = _only_branches(triggers)
    if branches is None:
        return Text(prefix="refs/")
    values = frozenset(f"refs/heads/{name}" for name in branches)
    return Text(values=values, is_fixed=False)


def _only_branches(triggers: Triggers) -> tuple[str, ...] | None:
    """Return the branches a run can be on, where a push to one of them is the only trigger."""
    if list(triggers.events) != ["push"]:
        return None
    push = triggers.events["push"]
    if push.branches is None or push.tags is not None or push.tags_ignore is not None:
        return None
    names = tuple(pattern.text for pattern in push.branches)
    return None if any(_GLOB & set(name) for name in names) else names


def _event_type(triggers: Triggers) -> Type:
    if "workflow_call" in triggers.events:
        return ANY
    members: dict[str, Type] = {}
    if triggers.dispatch_inputs:
        inputs: dict[str, Type] = {name.lower(): TEXT for name in triggers.dispatch_inputs}
        members["inputs"] = Record(members=inputs, code="unknown-input")
    actions = [_actions(event) for event in triggers.events.values()]
    if all(each is not None for each in actions):
        values = frozenset(name for each in actions for name in each or ())
        members["action"] = Text(values=values, is_fixed=False)
    return Record(members=members, rest=ANY)


def _actions(event: EventFilter) -> tuple[str, ...] | None:
    if not event.types or event.name == "repository_dispatch":
        return None
    return tuple(pattern.text for pattern in event.types)
