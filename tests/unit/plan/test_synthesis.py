"""Events made from a checkout.

Expected values: https://docs.github.com/en/webhooks/webhook-events-and-payloads and
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.plan.planning import REPOSITORY, happen

from windlass.lang.diagnostics import Diagnostic
from windlass.lang.schema.events import EVENTS
from windlass.plan.event import Event
from windlass.plan.synthesis import EventWishes, synthesise_event


def find(payload: Any, path: str) -> Any:
    for key in path.split("."):
        payload = payload[int(key)] if isinstance(payload, list) else payload[key]
    return payload


PUSH = {
    "ref": "refs/heads/feature",
    "before": "2" * 40,
    "after": "1" * 40,
    "created": False,
    "deleted": False,
    "forced": False,
    "head_commit.id": "1" * 40,
    "head_commit.message": "Add a door\n\nIt opens.",
    "head_commit.timestamp": "2026-01-02T03:04:05+00:00",
    "head_commit.author.name": "Mona Lisa",
    "head_commit.author.email": "583231+mona@users.noreply.github.com",
    "head_commit.author.username": "mona",
    "head_commit.added": ["src/door.py"],
    "head_commit.modified": ["docs/door.md"],
    "head_commit.removed": ["old.txt"],
    "commits.0.id": "1" * 40,
    "pusher.name": "mona",
    "repository.full_name": "octo/app",
    "repository.name": "app",
    "repository.owner.login": "octo",
    "repository.default_branch": "main",
    "repository.html_url": "https://github.com/octo/app",
    "repository.clone_url": "https://github.com/octo/app.git",
    "repository.ssh_url": "git@github.com:octo/app.git",
    "repository.fork": False,
    "sender.login": "mona",
    "sender.type": "User",
}
PULL_REQUEST = {
    "action": "opened",
    "number": 7,
    "pull_request.number": 7,
    "pull_request.title": "Add a door",
    "pull_request.body": "It opens.",
    "pull_request.state": "open",
    "pull_request.draft": False,
    "pull_request.merged": False,
    "pull_request.labels": [],
    "pull_request.user.login": "mona",
    "pull_request.html_url": "https://github.com/octo/app/pull/7",
    "pull_request.head.ref": "feature",
    "pull_request.head.sha": "1" * 40,
    "pull_request.head.repo.full_name": "octo/app",
    "pull_request.base.ref": "main",
    "pull_request.base.sha": "2" * 40,
    "pull_request.base.repo.full_name": "octo/app",
    "repository.full_name": "octo/app",
}


@pytest.mark.requirement("A02")
@pytest.mark.parametrize(("path", "value"), PUSH.items(), ids=PUSH.keys())
def test_push_payload(path: str, value: Any) -> None:
    """A push tells the ref, both commits, the head commit with its files, and who pushed."""
    assert value == find(happen("push").payload, path)


@pytest.mark.requirement("A03")
@pytest.mark.parametrize(("path", "value"), PULL_REQUEST.items(), ids=PULL_REQUEST.keys())
def test_pull_request_payload(path: str, value: Any) -> None:
    """A pull request tells its number, title, both sides and its author."""
    assert value == find(happen("pull_request", EventWishes(number=7)).payload, path)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("issues", "issue.number", 3),
        ("issues", "issue.labels", []),
        ("issue_comment", "comment.body", ""),
        ("issue_comment", "issue.number", 3),
        ("pull_request_review", "review.state", "approved"),
        ("pull_request_review", "pull_request.number", 3),
        ("pull_request_review_comment", "comment.path", "src/door.py"),
        ("release", "action", "published"),
        ("release", "release.tag_name", "v1"),
        ("release", "release.prerelease", False),
        ("workflow_run", "workflow_run.conclusion", "success"),
        ("workflow_run", "workflow_run.head_branch", "feature"),
        ("repository_dispatch", "client_payload", {"a": "b"}),
        ("workflow_dispatch", "inputs", {"a": "b"}),
        ("merge_group", "merge_group.base_ref", "refs/heads/main"),
        ("schedule", "schedule", "0 3 * * *"),
        ("create", "ref_type", "branch"),
        ("deployment_status", "deployment_status.state", "success"),
        ("check_run", "check_run.head_sha", "1" * 40),
        ("label", "action", "created"),
    ],
)
def test_other_payloads(name: str, path: str, value: Any) -> None:
    """Every event has the object it is about."""
    wishes = EventWishes(number=3, cron="0 3 * * *", inputs={"a": "b"})

    assert value == find(happen(name, wishes, tag="v1").payload, path)


@pytest.mark.parametrize(
    ("name", "ref", "sha", "head_ref", "base_ref"),
    [
        ("push", "refs/heads/feature", "1", "", ""),
        ("workflow_dispatch", "refs/heads/feature", "1", "", ""),
        ("pull_request", "refs/pull/1/merge", "1", "feature", "main"),
        ("pull_request_review", "refs/pull/1/merge", "1", "feature", "main"),
        ("pull_request_target", "refs/heads/main", "2", "feature", "main"),
        ("schedule", "refs/heads/main", "1", "", ""),
        ("issues", "refs/heads/main", "1", "", ""),
        ("issue_comment", "refs/heads/main", "1", "", ""),
        ("workflow_run", "refs/heads/main", "1", "", ""),
        ("repository_dispatch", "refs/heads/main", "1", "", ""),
        ("release", "refs/tags/v1", "1", "", ""),
        ("merge_group", f"refs/heads/gh-readonly-queue/main/pr-1-{'1' * 40}", "1", "", ""),
    ],
)
def test_refs(name: str, ref: str, sha: str, head_ref: str, base_ref: str) -> None:
    """Each event is about the ref and the commit that GitHub gives it."""
    event = happen(name, tag="v1")

    assert (ref, sha * 40, head_ref, base_ref) == (
        event.ref,
        event.sha,
        event.head_ref,
        event.base_ref,
    )


@pytest.mark.requirement("A04")
def test_a_checked_out_tag_is_pushed() -> None:
    """Where no branch but a tag is checked out, a push is one of that tag."""
    event = happen("push", branch=None, tag="v2")

    assert (event.ref, event.tag, event.branch) == ("refs/tags/v2", "v2", None)
    assert event.payload["created"] is True


def test_a_bare_commit_counts_as_the_default_branch() -> None:
    """Where neither a branch nor a tag is checked out, a push is one to the default branch."""
    assert happen("push", branch=None).ref == "refs/heads/main"


def test_the_first_commit_has_no_commit_before_it() -> None:
    """What has no parent says so with forty zeros, as GitHub does."""
    assert happen("push", base_sha=None).payload["before"] == "0" * 40


def test_an_event_file_is_laid_over_key_by_key() -> None:
    """What the event file says wins, what it does not say stays, and the event follows it."""
    wishes = EventWishes(
        payload={
            "action": "labeled",
            "pull_request": {
                "number": 42,
                "labels": [{"name": "urgent"}],
                "head": {"ref": "fix", "sha": "3" * 40},
                "base": {"ref": "releases/1"},
            },
            "sender": {"login": "hubot"},
        }
    )
    event = happen("pull_request", wishes)

    assert (
        event.action,
        event.ref,
        event.head_ref,
        event.base_ref,
        event.sha,
        event.actor,
    ) == ("labeled", "refs/pull/42/merge", "fix", "releases/1", "3" * 40, "hubot")
    assert find(event.payload, "pull_request.labels.0.name") == "urgent"
    assert find(event.payload, "pull_request.title") == "Add a door"


def test_the_commits_of_an_event_file_say_what_changed() -> None:
    """Path filters then see those files in place of the checkout's."""
    commits = [{"added": ["a"], "modified": ["b"]}, {"removed": ["c"], "modified": ["b"]}]
    event = happen("push", EventWishes(payload={"commits": commits}))

    assert event.changed_files == ("a", "b", "c")


def test_commits_of_an_event_file_that_are_none() -> None:
    """What is no list of files is no file."""
    event = happen("push", EventWishes(payload={"commits": ["x", {"added": "y"}, {"added": [1]}]}))

    assert event.changed_files == ("1",)


@pytest.mark.parametrize(
    ("email", "name", "login"),
    [
        ("583231+mona@users.noreply.github.com", "Mona Lisa", "mona"),
        ("mona@users.noreply.github.com", "Mona Lisa", "mona"),
        ("mona@example.com", "Mona Lisa", "Mona-Lisa"),
        ("x@example.com", "", "windlass"),
        ("x@example.com", "(Xena X)", "Xena-X"),
        ("1+dependabot[bot]@users.noreply.github.com", "x", "dependabot[bot]"),
    ],
)
def test_actors(email: str, name: str, login: str) -> None:
    """The actor is the author's login, or the nearest thing to one."""
    assert happen("push", author_email=email, author_name=name).actor == login


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("pus", "'pus' is not an event of GitHub Actions", "did you mean 'push'?"),
        ("pull-request", "'pull-request' is not an event", "did you mean 'pull_request'?"),
        ("Push", "'Push' is not an event", "did you mean 'push'?"),
        ("zzz", "'zzz' is not an event", "events are branch_protection_rule, check_run"),
        ("workflow_call", "'workflow_call' is no event that happens", "calling workflow"),
    ],
)
def test_unknown_events(name: str, message: str, hint: str) -> None:
    """A name that is no event is a diagnostic that names the nearest ones."""
    finding = synthesise_event(name, REPOSITORY)

    assert isinstance(finding, Diagnostic)
    assert message in finding.message
    assert hint in (finding.hint or "")


def test_a_called_workflow_is_no_event() -> None:
    """The finding says what happens instead."""
    finding = synthesise_event("workflow_call", REPOSITORY)

    assert isinstance(finding, Diagnostic)
    assert finding.message == (
        "'workflow_call' is no event that happens: a job of another workflow calls"
    )
    assert finding.hint == "run the event that starts the calling workflow"


def test_up_to_three_names_are_suggested() -> None:
    """The nearest comes first, as the standard library compares them."""
    event = synthesise_event("pull_reques", REPOSITORY)
    action = synthesise_event("issues", REPOSITORY, EventWishes(action="label"))

    assert isinstance(event, Diagnostic)
    assert isinstance(action, Diagnostic)
    assert event.hint == (
        "did you mean 'pull_request' or 'pull_request_target' or 'pull_request_review'?"
    )
    assert action.hint == "did you mean 'labeled' or 'unlabeled'?"


def test_unknown_activity_types() -> None:
    """An activity type that the event does not have is a diagnostic."""
    finding = synthesise_event("pull_request", REPOSITORY, EventWishes(action="open"))

    assert isinstance(finding, Diagnostic)
    assert finding.message == "'open' is not an activity type of pull_request"
    assert finding.hint is not None
    assert "'opened'" in finding.hint


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_every_payload_is_json(event: Any) -> None:
    """Payloads can be written to the event file, whatever bytes names are made of."""
    facts = replace(REPOSITORY, changed_files=("n\udcff",), added_files=("n\udcff",))
    found = synthesise_event(event.name, facts)

    if isinstance(found, Event):
        assert json.loads(json.dumps(found.payload)) == found.payload
        assert find(found.payload, "repository.full_name") == "octo/app"
        assert found.action in (None, *event.types)
    else:
        assert event.name == "workflow_call"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["action", "ref", "commits", "pull_request", "sender", "release", "after"])


@given(st.sampled_from(EVENTS), st.dictionaries(KEYS, JSON, max_size=4))
def test_any_event_file_gives_an_event_or_a_diagnostic(event: Any, payload: dict[str, Any]) -> None:
    """Nothing in an event file makes the synthesis fail."""
    found = synthesise_event(event.name, REPOSITORY, EventWishes(payload=payload))

    assert isinstance(found, Event | Diagnostic)


@pytest.mark.parametrize(
    ("wishes", "ref"),
    [
        (EventWishes(ref="topic"), "refs/heads/topic"),
        (EventWishes(ref="refs/tags/v2"), "refs/tags/v2"),
        (EventWishes(payload={"ref": "refs/heads/other"}), "refs/heads/other"),
    ],
)
def test_the_ref_may_be_chosen(wishes: EventWishes, ref: str) -> None:
    """A short name is a branch; an event file wins."""
    assert happen("push", wishes).ref == ref


def test_an_event_file_says_what_was_pushed_and_by_whom() -> None:
    """`after` is the commit, `sender` the actor."""
    payload = {"after": "9" * 40, "sender": {"login": "hubot"}}
    event = happen("push", EventWishes(payload=payload))

    assert (event.sha, event.actor) == ("9" * 40, "hubot")


def test_an_event_file_of_a_pull_request() -> None:
    """Its number, head and base are those of the event."""
    sides = {"head": {"ref": "h", "sha": "8" * 40}, "base": {"ref": "b", "sha": "7" * 40}}
    payload = {"pull_request": {"number": 42, **sides}}

    event = happen("pull_request", EventWishes(payload=payload))
    assert (event.ref, event.sha) == ("refs/pull/42/merge", "8" * 40)
    assert (event.head_ref, event.base_ref) == ("h", "b")

    event = happen("pull_request_target", EventWishes(payload=payload))
    assert (event.ref, event.sha) == ("refs/heads/b", "7" * 40)


@pytest.mark.parametrize("pull_request", [5, {}, {"head": 5, "base": {"ref": 5}}])
def test_an_event_file_whose_pull_request_is_none(pull_request: Any) -> None:
    """What it does not say stays; what is of another kind counts as not there."""
    event = happen("pull_request", EventWishes(payload={"pull_request": pull_request}, number=3))

    assert (event.ref, event.sha) == ("refs/pull/3/merge", "1" * 40)


def test_the_ref_of_an_event_that_is_no_pull_request() -> None:
    """It is not that of a pull request, whatever an event file lays over it."""
    event = happen("issue_comment", EventWishes(payload={"pull_request": {"number": 5}}))

    assert (event.ref, event.head_ref, event.base_ref) == ("refs/heads/main", "", "")


@pytest.mark.parametrize("key", ["after", "ref"])
def test_what_is_no_text_counts_as_not_there(key: str) -> None:
    """The commit and the ref are then those of the checkout."""
    event = happen("push", EventWishes(payload={key: 5}))

    assert (event.sha, event.ref) == ("1" * 40, "refs/heads/feature")


@pytest.mark.parametrize(("tag", "ref"), [("v3", "refs/tags/v3"), (None, "refs/tags/v0.0.0")])
def test_a_release_is_about_its_tag(tag: str | None, ref: str) -> None:
    """The tag that is checked out, else a made-up one."""
    assert happen("release", tag=tag).ref == ref


def test_an_event_file_names_the_tag_of_a_release() -> None:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#release"""
    event = happen("release", EventWishes(payload={"release": {"tag_name": "v9"}}))

    assert event.ref == "refs/tags/v9"


def test_an_event_file_names_the_activity_type() -> None:
    """It is compared with the types there are, but for those that anybody makes up."""
    assert happen("issues", EventWishes(payload={"action": "closed"})).action == "closed"
    assert happen("repository_dispatch", EventWishes(action="mine")).action == "mine"

    assert happen("issues", EventWishes(payload={"action": 5})).action is None

    finding = synthesise_event("issues", REPOSITORY, EventWishes(payload={"action": "zzz"}))
    assert isinstance(finding, Diagnostic)
    assert finding.code == "unknown-activity-type"
    assert (finding.hint or "").startswith("its types are opened, edited, ")


@pytest.mark.parametrize("name", ["pus", "workflow_call"])
def test_code_of_an_unknown_event(name: str) -> None:
    """Both kinds of wrong names have one code."""
    finding = synthesise_event(name, REPOSITORY)

    assert isinstance(finding, Diagnostic)
    assert finding.code == "unknown-event"


def test_events_that_are_named_for_a_wrong_name_can_happen() -> None:
    """A workflow that is called is no event that a user starts."""
    finding = synthesise_event("zzz", REPOSITORY)

    assert isinstance(finding, Diagnostic)
    assert "workflow_call" not in (finding.hint or "workflow_call")


def test_a_mapping_of_an_event_file_replaces_what_is_none() -> None:
    """Only mappings are merged key by key; anything else is taken as it is."""
    payload = happen("push", EventWishes(payload={"ref": {"a": 1}, "repository": "x"})).payload

    assert (payload["ref"], payload["repository"]) == ({"a": 1}, "x")
