"""The `github` context of a run.

Keys: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#github-context
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.plan.planning import REPOSITORY, happen, read

from windlass.plan.contexts import (
    RunIdentity,
    make_github_context,
    name_ref,
    stand_in_id,
)
from windlass.plan.synthesis import EventWishes

WORKFLOW = read("name: CI\non: push\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}")
NAMELESS = read("on: push\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}")


def make(event: str = "push", **facts: Any) -> dict[str, Any]:
    repository = replace(REPOSITORY, **facts)
    return make_github_context(happen(event, **facts), repository, WORKFLOW, RunIdentity(id=8))


PUSH = {
    "actor": "mona",
    "triggering_actor": "mona",
    "api_url": "https://api.github.com",
    "graphql_url": "https://api.github.com/graphql",
    "server_url": "https://github.com",
    "base_ref": "",
    "head_ref": "",
    "event_name": "push",
    "ref": "refs/heads/feature",
    "ref_name": "feature",
    "ref_protected": False,
    "ref_type": "branch",
    "repository": "octo/app",
    "repository_owner": "octo",
    "repositoryUrl": "git://github.com/octo/app.git",
    "retention_days": "90",
    "run_attempt": "1",
    "run_id": "8",
    "run_number": "1",
    "secret_source": "Actions",
    "sha": "1" * 40,
    "workflow": "CI",
    "workflow_ref": "octo/app/.github/workflows/ci.yml@refs/heads/feature",
    "workflow_sha": "1" * 40,
    "job_workflow_sha": "1" * 40,
    "token": "",
    "artifact_cache_size_limit": "10",
    "repository_visibility": "private",
}


@pytest.mark.parametrize(("key", "value"), PUSH.items(), ids=PUSH.keys())
def test_github_context_of_a_push(key: str, value: Any) -> None:
    """Each key has GitHub's value, in GitHub's kind: numbers of runs are strings."""
    assert make()[key] == value


def test_bug_14_the_github_context_is_complete() -> None:
    """Every key that GitHub documents and that is not the job's own is there."""
    documented = {
        *("actor", "actor_id", "api_url", "base_ref", "event", "event_name", "graphql_url"),
        *("head_ref", "ref", "ref_name", "ref_protected", "ref_type", "repository"),
        *("repository_id", "repository_owner", "repository_owner_id", "repositoryUrl"),
        *("retention_days", "run_attempt", "run_id", "run_number", "secret_source", "server_url"),
        *("sha", "token", "triggering_actor", "workflow", "workflow_ref", "workflow_sha"),
    }

    assert documented - make().keys() == set()


@pytest.mark.parametrize("key", ["actor_id", "repository_id", "repository_owner_id"])
def test_bug_14_ids_are_stable_stand_ins(key: str) -> None:
    """Ids that only GitHub knows are digits, the same in every run."""
    first, second = make()[key], make()[key]

    assert first == second
    assert first.isdigit()


def test_different_names_have_different_ids() -> None:
    """A stand-in tells two repositories apart."""
    assert stand_in_id("octo/app") != stand_in_id("octo/web")


def test_a_name_that_is_no_utf_8_has_an_id() -> None:
    """Bytes that are no UTF-8, which Python reads as lone surrogates, are told apart as well."""
    assert stand_in_id("octo\udcff").isdigit()
    assert stand_in_id("octo\udcff") != stand_in_id("octo\udcfe")


def test_github_context_of_a_pull_request() -> None:
    """A pull request has both branches and its merge ref."""
    github = make("pull_request")

    assert (
        github["ref"],
        github["ref_name"],
        github["ref_type"],
        github["head_ref"],
        github["base_ref"],
    ) == ("refs/pull/1/merge", "1/merge", "branch", "feature", "main")


def test_a_tag_is_of_type_tag() -> None:
    """A push of a tag says so."""
    github = make(branch=None, tag="v1")

    assert (github["ref_type"], github["ref_name"]) == ("tag", "v1")


def test_other_servers_have_their_own_addresses() -> None:
    """A repository of GitHub Enterprise Server finds its interfaces there."""
    github = make(server_url="https://git.example.com")

    assert github["api_url"] == "https://git.example.com/api/v3"
    assert github["graphql_url"] == "https://git.example.com/api/graphql"


def test_a_workflow_without_name_is_called_by_its_path() -> None:
    """`github.workflow` is then the path in the repository."""
    github = make_github_context(happen("push"), REPOSITORY, NAMELESS)

    assert github["workflow"] == ".github/workflows/ci.yml"


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        ("refs/heads/a/b", "a/b"),
        ("refs/tags/v1", "v1"),
        ("refs/pull/5/merge", "5/merge"),
        ("refs/other/x", "refs/other/x"),
    ],
)
def test_short_names_of_refs(ref: str, name: str) -> None:
    """Branches, tags and pull requests lose their prefix."""
    assert name_ref(ref) == name


def test_the_payload_is_the_event() -> None:
    """`github.event` is the whole payload."""
    event = happen("push", EventWishes(payload={"extra": 1}))

    assert make_github_context(event, REPOSITORY, WORKFLOW)["event"] == event.payload
