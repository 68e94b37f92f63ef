"""Workflows `on: workflow_run`: what the runs of a repository start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runs import open_site
from tests.npm import install
from tests.pushed_repository import CI, PushedRepository, tell_pull_request, tell_push

from windlass.db.deliveries import find_delivery_of
from windlass.db.effects import list_waiting
from windlass.db.runs import list_latest
from windlass.model.status import Result
from windlass.operations.hosted.attempts import find_attempt, rerun
from windlass.operations.hosted.deliveries import accept_delivery
from windlass.operations.hosted.followers import describe_run, follow_run
from windlass.operations.hosted.repositories import register_repository, require_repository
from windlass.operations.hosted.watching import list_handlers
from windlass.operations.kept_jobs import ALL
from windlass.plan.signals import JobFinished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.db.runs import AttemptRow
    from windlass.operations.hosted.site import Site

NAME = "octo/boat"
FOLLOW = """\
name: {name}
on: {{workflow_run: {{workflows: [{of}]{more}}}}}
jobs: {{build: {{runs-on: ubuntu-latest, steps: [{{run: echo}}]}}}}
"""


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    with open_site(database_address, tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    return PushedRepository(tmp_path)


def follow(pushed: PushedRepository, name: str, of: str, more: str = "") -> None:
    text = FOLLOW.format(name=name, of=of, more=more)
    pushed.write(f".github/workflows/{name.lower()}.yml", text)


def register(site: Site, pushed: PushedRepository) -> None:
    pushed.push()
    register_repository(site, str(pushed.bare), NAME)
    settle(site)


def tell(site: Site, event: str, payload: str, guid: str = "1") -> None:
    assert accept_delivery(site, require_repository(site, NAME), guid, event, payload).new
    settle(site)


def push(site: Site, pushed: PushedRepository, branch: str = "main") -> str:
    """Push a new commit; return it."""
    before, after = pushed.push(branch=branch)
    tell(site, "push", tell_push(before, after, f"refs/heads/{branch}"), after)
    return after


def settle(site: Site) -> None:
    """Carry out all effects, each as often as a server may that dies: twice."""
    handlers = list_handlers(site)
    while waiting := list_waiting(site.store, 99):
        for effect in waiting:
            for _ in range(2):
                handlers[effect.kind](effect)
            with site.store.writing() as connection:
                connection.execute("UPDATE effects SET done = 1.0 WHERE id = ?", (effect.id,))


def end(site: Site, run: str, attempt: int = 1, result: Result = Result.SUCCESS) -> None:
    assert site.runs.tell(run, attempt, JobFinished("build", result))
    settle(site)


def started(site: Site) -> list[AttemptRow]:
    """The runs there are, in the order in which they were started."""
    return list_latest(site.store)[::-1]


def names(site: Site) -> list[str]:
    return [row.run.workflow for row in started(site)]


def test_the_end_of_a_run_starts_who_follows_it(site: Site, pushed: PushedRepository) -> None:
    """Once, at the head of the default branch, with the facts of the run that has ended."""
    follow(pushed, "Deploy", "CI", ", types: [completed]")
    follow(pushed, "Other", "Nobody")
    register(site, pushed)
    after = push(site, pushed, "topic")
    (first,) = started(site)
    assert names(site) == ["CI"]

    end(site, first.run.id, result=Result.FAILURE)

    assert names(site) == ["CI", "Deploy"]
    event = find_attempt(site.store, started(site)[1].run.id, 1).event
    assert (event.name, event.ref, event.sha) == (
        "workflow_run",
        "refs/heads/main",
        pushed.find("main"),
    )
    told: Any = event.payload
    run = told["workflow_run"]
    assert (told["action"], run["status"], run["conclusion"]) == (
        "completed",
        "completed",
        "failure",
    )
    assert (run["id"], run["name"], run["event"]) == (int(first.run.id), "CI", "push")
    assert (run["head_branch"], run["head_sha"]) == ("topic", after)
    assert run["head_repository"]["full_name"] == told["repository"]["full_name"] == NAME
    assert told["workflow"]["path"] == ".github/workflows/ci.yml"


@pytest.mark.parametrize(
    ("types", "moments"),
    [
        ("", ["requested", "completed"]),
        (", types: [requested]", ["requested"]),
        (", types: [completed]", ["completed", "completed"]),
    ],
)
def test_moments_of_a_run(
    site: Site, pushed: PushedRepository, types: str, moments: list[str]
) -> None:
    """Without `types` all are meant; a run that is run again was requested already."""
    follow(pushed, "Deploy", "CI", types)
    register(site, pushed)
    push(site, pushed)
    run = started(site)[0].run.id
    end(site, run)
    if len(set(moments)) == 1:
        rerun(site, run, ALL)
        settle(site)
        end(site, run, 2)

    deploys = [it.run.id for it in started(site) if it.run.workflow == "Deploy"]
    events = [find_attempt(site.store, it, 1).event for it in deploys]
    assert [it.payload["action"] for it in events] == moments


def test_branches_are_those_of_the_run_that_is_followed(
    site: Site, pushed: PushedRepository
) -> None:
    """`branches` filters by the branch of that run, though the new one is of the default branch."""
    follow(pushed, "Deploy", "CI", ", types: [requested], branches: [topic]")
    register(site, pushed)
    push(site, pushed)
    assert names(site) == ["CI"]

    push(site, pushed, "topic")

    assert names(site) == ["CI", "CI", "Deploy"]


def test_runs_follow_each_other_three_times(site: Site, pushed: PushedRepository) -> None:
    """Of A, B, C, D, E and F the last two do not run, as on GitHub."""
    for name, of in ("BA", "CB", "DC", "ED", "FE"):
        follow(pushed, name, of, ", types: [completed]")
    pushed.write(".github/workflows/ci.yml", CI.replace("CI", "A"))
    register(site, pushed)
    push(site, pushed)

    for number in range(4):
        end(site, started(site)[number].run.id)

    assert names(site) == ["A", "B", "C", "D"]


def test_nothing_is_written_where_nobody_follows(site: Site, pushed: PushedRepository) -> None:
    """A repository whose workflows follow none has no effects of it; so has one that stops to."""
    follow(pushed, "Deploy", "CI")
    register(site, pushed)
    pushed.git("rm", "-q", ".github/workflows/deploy.yml", at=pushed.work)
    push(site, pushed)
    with site.store.writing() as connection:
        connection.execute("DELETE FROM effects")

    push(site, pushed)
    end(site, started(site)[-1].run.id)

    kinds = {kind for (kind,) in site.store.ask("SELECT kind FROM effects")}
    assert "follow" not in kinds


def test_what_is_told_has_the_members_that_github_tells(
    site: Site, pushed: PushedRepository
) -> None:
    """Of the same kinds as in GitHub's own example, but for what only GitHub has."""
    register(site, pushed)
    push(site, pushed)
    index = (
        install("webhooks-examples", "@octokit/webhooks-examples@7.6.1")
        / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    )
    every = next(it for it in json.loads(index.read_text()) if it["name"] == "workflow_run")
    example = next(it for it in every["examples"] if it["action"] == "completed")["workflow_run"]
    run = describe_run(site, started(site)[0], "completed")["workflow_run"]

    only_github = {"node_id", "check_suite_id", "check_suite_node_id", "check_suite_url"}
    assert example.keys() - run.keys() <= only_github
    for key in example.keys() & run.keys():
        if None not in (example[key], run[key]):
            assert type(run[key]) is type(example[key]), key


def test_a_run_of_a_pull_request_names_it(site: Site, pushed: PushedRepository) -> None:
    """Its head is what the pull request proposes; one of a fork is not named, as by GitHub."""
    follow(pushed, "Deploy", "CI", ", types: [requested]")
    pushed.write(".github/workflows/ci.yml", CI.replace("push", "pull_request"))
    register(site, pushed)
    _, sha = pushed.push(branch="feature")
    tell(site, "pull_request", tell_pull_request(sha))

    run: Any = find_attempt(site.store, started(site)[1].run.id, 1).event.payload["workflow_run"]

    assert (run["head_sha"], run["head_branch"], run["event"]) == (sha, "feature", "pull_request")
    assert [it["number"] for it in run["pull_requests"]] == [7]


def test_a_run_that_is_gone_starts_nothing(site: Site, pushed: PushedRepository) -> None:
    """It was forgotten before its effect was carried out."""
    register(site, pushed)

    follow_run(site, "5", 1, "completed")

    repository = require_repository(site, NAME)
    assert find_delivery_of(site.store, repository.id, "workflow_run/1/5/1/completed") is None
