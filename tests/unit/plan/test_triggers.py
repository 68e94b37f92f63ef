"""Which workflows an event starts.

Expected values: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#on
and https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.plan.planning import happen, read

from windlass.lang.schema.events import EVENTS
from windlass.plan.decision import Verdict
from windlass.plan.synthesis import EventWishes
from windlass.plan.triggers import decide_workflow

if TYPE_CHECKING:
    from windlass.plan.event import Event

JOBS = "\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n"

MAIN = {"branch": "main"}
TAG = EventWishes(ref="refs/tags/v1.2")
TAGS = EventWishes(payload={"ref": "refs/tags/v1.2"})


def decide(on: str, event: Event) -> tuple[str, str]:
    decision = decide_workflow(read(f"on: {on}{JOBS}"), event)
    return decision.verdict.value, decision.reason


@pytest.mark.requirement("A02")
@pytest.mark.parametrize(
    ("on", "branch", "verdict", "reason"),
    [
        ("push", "dev", "RUN", "'on' names push"),
        ("[push, pull_request]", "dev", "RUN", "'on' names push"),
        ("pull_request", "dev", "SKIP", "'on' names 'pull_request', not push"),
        (
            "{push: {branches: []}}",
            "dev",
            "SKIP",
            "branch 'dev' matches none of 'branches', which is empty",
        ),
        (
            "{push: {branches: [main, develop]}}",
            "develop",
            "RUN",
            "branch 'develop' matches 'develop'",
        ),
        (
            "{push: {branches: [main, develop]}}",
            "feature",
            "SKIP",
            "branch 'feature' matches none of 'main', 'develop'",
        ),
        (
            "{push: {branches: ['releases/**', '!releases/**-alpha']}}",
            "releases/1-alpha",
            "SKIP",
            "branch 'releases/1-alpha' is taken out by '!releases/**-alpha'",
        ),
        (
            "{push: {branches-ignore: ['wip/**']}}",
            "wip/x",
            "SKIP",
            "branch 'wip/x' is ignored by 'wip/**'",
        ),
        ("{push: {branches-ignore: ['wip/**']}}", "main", "RUN", "'on' names push"),
        (
            "{push: {tags: ['v*']}}",
            "main",
            "SKIP",
            "only tags are filtered, so the branch 'main' does not count",
        ),
        ("{push: {tags: ['v*'], branches: [main]}}", "main", "RUN", "branch 'main' matches 'main'"),
        ("{push: {tags-ignore: ['v*'], branches-ignore: [x]}}", "main", "RUN", "'on' names push"),
    ],
)
def test_pushes_of_branches(on: str, branch: str, verdict: str, reason: str) -> None:
    """A push to a branch starts what filters that branch in, or filters nothing."""
    assert (verdict, reason) == decide(on, happen("push", branch=branch))


@pytest.mark.requirement("A04")
@pytest.mark.parametrize("wishes", [TAG, TAGS], ids=["asked-for", "by-event-file"])
@pytest.mark.parametrize(
    ("on", "verdict", "reason"),
    [
        ("push", "RUN", "'on' names push"),
        ("{push: {tags: ['v*']}}", "RUN", "tag 'v1.2' matches 'v*'"),
        ("{push: {tags: ['v2*']}}", "SKIP", "tag 'v1.2' matches none of 'v2*'"),
        ("{push: {tags-ignore: ['v1*']}}", "SKIP", "tag 'v1.2' is ignored by 'v1*'"),
        (
            "{push: {branches: [main]}}",
            "SKIP",
            "only branches are filtered, so the tag 'v1.2' does not count",
        ),
        ("{push: {tags: ['v*'], paths: [nothing]}}", "RUN", "tag 'v1.2' matches 'v*'"),
        (
            "{push: {tags: [a, b, c, d, e, f]}}",
            "SKIP",
            "tag 'v1.2' matches none of 'a', 'b', 'c', 'd', 'e' and 1 more",
        ),
    ],
)
def test_pushes_of_tags(wishes: EventWishes, on: str, verdict: str, reason: str) -> None:
    """A tag starts what filters tags in, or filters nothing; paths do not count for it."""
    assert (verdict, reason) == decide(on, happen("push", wishes))


@pytest.mark.requirement("A03")
@pytest.mark.parametrize(
    ("on", "files", "verdict", "reason"),
    [
        ("{paths: ['src/**']}", ("a", "src/b"), "RUN", "the changed file 'src/b' matches 'src/**'"),
        ("{paths: ['src/**']}", ("a",), "SKIP", "1 file changed and none matches 'src/**'"),
        ("{paths: ['src/**']}", (), "SKIP", "no file changed and none matches 'src/**'"),
        (
            "{paths: ['src/**', '!src/old/**']}",
            ("src/old/x", "b"),
            "SKIP",
            "2 files changed and none matches 'src/**', '!src/old/**'",
        ),
        ("{paths-ignore: ['docs/**']}", ("docs/a", "b"), "RUN", "'on' names pull_request"),
        (
            "{paths-ignore: ['docs/**']}",
            ("docs/a",),
            "SKIP",
            "1 file changed and all are ignored by 'docs/**'",
        ),
        ("{paths-ignore: ['docs/**']}", (), "RUN", "'on' names pull_request"),
        (
            "{paths: ['src/**']}",
            None,
            "RUN",
            "nobody can say which files changed, so the path filter counts as matching",
        ),
        (
            "{branches: [main], paths: [x]}",
            ("y",),
            "SKIP",
            "1 file changed and none matches 'x'",
        ),
        ("{branches: [dev], paths: [y]}", ("y",), "SKIP", "branch 'main' matches none of 'dev'"),
        ("{branches: [main]}", ("y",), "RUN", "branch 'main' matches 'main'"),
    ],
)
def test_pull_requests(on: str, files: tuple[str, ...] | None, verdict: str, reason: str) -> None:
    """Pull requests are filtered by their base branch and by the files they change, both."""
    event = happen("pull_request", changed_files=files)

    assert (verdict, reason) == decide(f"{{pull_request: {on}}}", event)


@pytest.mark.parametrize(
    ("on", "action", "verdict"),
    [
        ("pull_request", "opened", "RUN"),
        ("pull_request", "synchronize", "RUN"),
        ("pull_request", "reopened", "RUN"),
        ("pull_request", "closed", "SKIP"),
        ("{pull_request: {types: [closed]}}", "closed", "RUN"),
        ("{pull_request: {types: [closed]}}", "opened", "SKIP"),
        ("{pull_request: {types: closed}}", "closed", "RUN"),
    ],
)
def test_activity_types_of_pull_requests(on: str, action: str, verdict: str) -> None:
    """Without `types`, pull requests count when they are opened, pushed to or reopened."""
    assert verdict == decide(on, happen("pull_request", EventWishes(action=action)))[0]


def test_all_activity_types_of_other_events_count() -> None:
    """Without `types`, every type of an event but pull requests counts."""
    assert decide("issues", happen("issues", EventWishes(action="pinned")))[0] == "RUN"


def test_the_reason_names_the_activity_type() -> None:
    """What was skipped for its type says which types it waits for."""
    event = happen("release", EventWishes(action="deleted"))

    assert decide("{release: {types: [published, edited]}}", event) == (
        "SKIP",
        "the activity type is 'deleted', not 'published' or 'edited'",
    )


def test_evidence_of_an_activity_type() -> None:
    """The key is `types`; where it is not written, the types that count by default."""
    event = happen("pull_request", EventWishes(action="closed"))
    decision = decide_workflow(read(f"on: pull_request{JOBS}"), event)

    assert decision.expression == "on.pull_request.types"
    assert decision.values == (
        ("found", "closed"),
        ("types", ["opened", "synchronize", "reopened"]),
    )


def test_the_reason_names_what_the_event_comes_from() -> None:
    """Workflows and schedules that were not waited for are told with those that were."""
    other = EventWishes(payload={"workflow_run": {"name": "Other"}})
    assert decide("{workflow_run: {workflows: [CI, CD]}}", happen("workflow_run", other)) == (
        "SKIP",
        "'Other' matches none of 'CI', 'CD'",
    )

    later = EventWishes(cron="0 4 * * *")
    assert decide("{schedule: [{cron: '0 3 * * *'}]}", happen("schedule", later)) == (
        "SKIP",
        "it runs at '0 3 * * *', not at 0 4 * * *",
    )


def test_a_push_whose_changes_nobody_knows() -> None:
    """That is said only of a workflow that filters paths."""
    event = happen("push", changed_files=None)

    assert decide("push", event) == ("RUN", "'on' names push")


@pytest.mark.requirement("A06")
@pytest.mark.parametrize(
    ("cron", "verdict"), [("", "RUN"), ("0 3 * * *", "RUN"), ("0 4 * * *", "SKIP")]
)
def test_schedules(cron: str, verdict: str) -> None:
    """A schedule starts the workflows that have its `cron`, or all with one if none is named."""
    event = happen("schedule", EventWishes(cron=cron))

    assert verdict == decide("{schedule: [{cron: '0 3 * * *'}]}", event)[0]


@pytest.mark.parametrize(
    ("on", "payload", "verdict"),
    [
        ("{workflow_run: {workflows: [CI]}}", {}, "RUN"),
        ("{workflow_run: {workflows: [CI]}}", {"name": "CI"}, "RUN"),
        ("{workflow_run: {workflows: [CI]}}", {"name": "Other"}, "SKIP"),
        ("{workflow_run: {workflows: [CI], branches: [main]}}", {"head_branch": "x"}, "SKIP"),
        ("{workflow_run: {workflows: [CI], branches: [main]}}", {"head_branch": "main"}, "RUN"),
        ("{workflow_run: {workflows: [CI], branches: [main]}}", {"head_branch": 5}, "RUN"),
    ],
)
def test_workflow_runs(on: str, payload: dict[str, Any], verdict: str) -> None:
    """Another workflow's run counts by that workflow's name and by the branch it ran for."""
    for ref in (None, "refs/tags/v1"):
        wishes = EventWishes(payload={"workflow_run": payload}, ref=ref)
        assert verdict == decide(on, happen("workflow_run", wishes))[0], ref


def test_merge_groups_are_filtered_by_their_base() -> None:
    """A merge group's `branches` are about the branch it goes into."""
    on = "{merge_group: {branches: [main]}}"

    assert decide(on, happen("merge_group"))[0] == "RUN"
    assert decide(on, happen("merge_group", EventWishes(base="dev")))[0] == "SKIP"


@pytest.mark.requirement("A15")
def test_branches_have_strategies_of_their_own() -> None:
    """Heavy builds run on main alone, light validation everywhere else."""
    heavy = "{push: {branches: [main]}}"
    light = "{push: {branches-ignore: [main]}}"

    assert [decide(on, happen("push", branch="main"))[0] for on in (heavy, light)] == [
        "RUN",
        "SKIP",
    ]
    assert [decide(on, happen("push", branch="dev"))[0] for on in (heavy, light)] == ["SKIP", "RUN"]


@pytest.mark.parametrize(
    "name", [event.name for event in EVENTS if event.name not in ("workflow_call", "schedule")]
)
def test_every_event_starts_a_workflow_that_names_it(name: str) -> None:
    """Whatever GitHub's schema lists under `on` can be synthesised and starts such a workflow."""
    on = "{workflow_run: {workflows: [x]}}" if name == "workflow_run" else name
    decision = decide_workflow(read(f"on: {on}{JOBS}"), happen(name))

    assert decision.verdict is Verdict.RUN


def test_evidence_is_the_name_and_the_patterns() -> None:
    """A filter that held an event back is there with what it saw and what it wanted."""
    workflow = read("on: {push: {branches: [main, dev]}}" + JOBS)
    decision = decide_workflow(workflow, happen("push", branch="x"))

    assert decision.expression == "on.push.branches"
    assert decision.values == (("found", "x"), ("branches", ["main", "dev"]))


EVIDENCE = [
    ("pull_request", "push", {}, "on", ()),
    ("{push: {branches: [a]}}", "push", {"branch": "x"}, "on.push.branches", ("x", ["a"])),
    (
        "{push: {branches-ignore: [x]}}",
        "push",
        {"branch": "x"},
        "on.push.branches-ignore",
        ("x", ["x"]),
    ),
    ("{push: {tags: [v1]}}", "push", {"branch": "x"}, "on.push.tags", ("x", ["v1"])),
    (
        "{push: {paths: [a]}}",
        "push",
        {"changed_files": ("b", "c")},
        "on.push.paths",
        (["b", "c"], ["a"]),
    ),
    (
        "{push: {paths-ignore: [b]}}",
        "push",
        {"changed_files": ("b",)},
        "on.push.paths-ignore",
        (["b"], ["b"]),
    ),
]


@pytest.mark.parametrize(("on", "name", "facts", "expression", "values"), EVIDENCE)
def test_evidence_of_each_filter(
    on: str, name: str, facts: dict[str, Any], expression: str, values: tuple[Any, ...]
) -> None:
    """The filter is named as it is written, with what it saw and what it wanted."""
    decision = decide_workflow(read(f"on: {on}{JOBS}"), happen(name, **facts))

    assert decision.verdict is Verdict.SKIP
    assert decision.expression == expression
    assert tuple(value for _, value in decision.values) == values


@pytest.mark.parametrize(
    ("on", "wishes", "key", "values"),
    [
        ("{push: {branches: [a]}}", EventWishes(ref="refs/tags/v1"), "branches", ("v1", ["a"])),
        ("{push: {tags: [v2]}}", EventWishes(ref="refs/tags/v1"), "tags", ("v1", ["v2"])),
        (
            "{push: {tags-ignore: [v1]}}",
            EventWishes(ref="refs/tags/v1"),
            "tags-ignore",
            ("v1", ["v1"]),
        ),
    ],
)
def test_evidence_of_tags(on: str, wishes: EventWishes, key: str, values: tuple[Any, ...]) -> None:
    """Tags have filters of their own; where only branches are filtered, these held it back."""
    decision = decide_workflow(read(f"on: {on}{JOBS}"), happen("push", wishes))

    assert decision.expression == f"on.push.{key}"
    assert decision.values == (("found", values[0]), (key, values[1]))


def test_evidence_of_a_schedule() -> None:
    """A schedule shows the cron that was asked for and those there are."""
    workflow = read("on: {schedule: [{cron: '0 3 * * *'}]}" + JOBS)
    decision = decide_workflow(workflow, happen("schedule", EventWishes(cron="0 4 * * *")))

    assert decision.expression == "on.schedule.cron"
    assert decision.values == (("found", "0 4 * * *"), ("cron", ["0 3 * * *"]))


@pytest.mark.parametrize(
    ("on", "payload", "key", "found"),
    [
        ("{workflow_run: {workflows: [CI]}}", {"workflow_run": {"name": "X"}}, "workflows", "X"),
        ("{image_version: {names: [a]}}", {"image_version": {"name": "b"}}, "names", "b"),
        (
            "{image_version: {versions: [1.*]}}",
            {"image_version": {"version": "2.0"}},
            "versions",
            "2.0",
        ),
    ],
)
def test_evidence_of_what_the_event_comes_from(
    on: str, payload: dict[str, Any], key: str, found: str
) -> None:
    """Workflows and images are compared by name and version."""
    workflow = read(f"on: {on}{JOBS}")
    (name,) = workflow.triggers.events
    decision = decide_workflow(workflow, happen(name, EventWishes(payload=payload)))

    assert decision.verdict is Verdict.SKIP
    assert decision.expression == f"on.{name}.{key}"
    assert decision.values[0] == ("found", found)
