"""Runs that somebody asks for, and what is said of an input that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runs import open_site
from tests.pushed_repository import CI, PushedRepository

from windlass.db.deliveries import find_delivery
from windlass.db.runs import list_latest
from windlass.errors import InvalidError, MissingError, RefusedError, WindlassError
from windlass.operations.attempts import make_machine
from windlass.operations.hosted.attempts import find_attempt
from windlass.operations.hosted.deliveries import process_delivery
from windlass.operations.hosted.dispatches import dispatch_event, dispatch_workflow
from windlass.operations.hosted.repositories import change_settings, register_repository
from windlass.operations.kept_jobs import read_workflow_of
from windlass.plan.orders import StartJob
from windlass.plan.signals import RunStarted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

NAME = "octo/boat"

BUILD = """\
name: Build
on:
  workflow_dispatch:
    inputs:
      architecture: {type: choice, options: [amd64, arm64, all], default: all}
      force_rebuild: {type: boolean, default: false}
      jobs: {type: number, default: 2}
      reason: {type: string, required: true}
jobs:
  build:
    runs-on: ubuntu-latest
    if: inputs.force_rebuild || inputs.jobs > 3
    steps: [{run: echo}]
"""

BY_HAND = """\
name: Deploy
on:
  workflow_dispatch:
    inputs:
      target: {type: environment, default: staging}
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: ${{ inputs.target }}
    steps: [{run: echo}]
"""


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    repository = PushedRepository(tmp_path)
    repository.write(".github/workflows/build.yml", BUILD)
    repository.write(".github/workflows/other.yml", CI.replace("push", "workflow_dispatch"))
    repository.push()
    return repository


@pytest.fixture
def site(tmp_path: Path, pushed: PushedRepository) -> Iterator[Site]:
    with open_site(f"sqlite:///{tmp_path / 'server.db'}", tmp_path / "data") as opened:
        register_repository(opened, str(pushed.bare), NAME)
        yield opened


@pytest.mark.requirement("A05")
@pytest.mark.requirement("A13")
@pytest.mark.parametrize(
    ("inputs", "starts"),
    [
        ({"reason": "x"}, False),
        ({"reason": "x", "force_rebuild": True}, True),
        ({"reason": "x", "force_rebuild": "true", "architecture": "arm64"}, True),
        ({"reason": "x", "jobs": 4}, True),
        ({"reason": "x", "jobs": "4"}, True),
    ],
)
def test_inputs_have_their_types(site: Site, inputs: dict[str, Any], starts: bool) -> None:
    """A job sees a boolean and a number, whether the call gave those or texts."""
    run = dispatch_workflow(site, NAME, "build.yml", inputs=inputs)
    definition = find_attempt(site.store, run, 1)
    orders = make_machine(definition, read_workflow_of(definition)).receive(RunStarted())
    assert any(isinstance(it, StartJob) for it in orders) == starts
    assert definition.event.name == "workflow_dispatch"


@pytest.mark.requirement("A05")
@pytest.mark.requirement("A13")
@pytest.mark.parametrize(
    ("inputs", "environment"), [({}, "staging"), ({"target": "production"}, "production")]
)
def test_an_input_chooses_the_environment(
    site: Site, pushed: PushedRepository, inputs: dict[str, Any], environment: str
) -> None:
    """The job is for the environment that whoever dispatches has named, or for the default one."""
    pushed.write(".github/workflows/deploy.yml", BY_HAND)
    pushed.push()

    run = dispatch_workflow(site, NAME, "deploy.yml", inputs=inputs)

    definition = find_attempt(site.store, run, 1)
    orders = make_machine(definition, read_workflow_of(definition)).receive(RunStarted())
    assert [it.environment for it in orders if isinstance(it, StartJob)] == [environment]


@pytest.mark.requirement("A13")
@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({}, ["'reason' is required"]),
        ({"reason": "x", "architecture": "mips"}, ["'mips'", "architecture", "amd64 or arm64"]),
        ({"reason": "x", "force_rebuild": "maybe"}, ["'force_rebuild' is a boolean", "'maybe'"]),
        ({"reason": "x", "jobs": "many"}, ["'jobs' is a number, not 'many'"]),
        ({"reason": "x", "size": "1"}, ["there is no input 'size'", "architecture"]),
        ({"architecture": "mips"}, ["'mips'", "'reason' is required"]),
        ({"reason": ["x"]}, ["'reason' is no text"]),
        ({f"i{number}": "" for number in range(26)}, ["26 inputs"]),
        ({"reason": "x" * 65536}, ["65535 letters"]),
    ],
    ids=str.split("missing choice boolean number unknown several list many long"),
)
def test_inputs_that_cannot_be(site: Site, inputs: dict[str, Any], named: list[str]) -> None:
    """Each is named, with what was expected, and nothing starts."""
    with pytest.raises(InvalidError) as caught:
        dispatch_workflow(site, NAME, "build.yml", inputs=inputs)
    said = f"{caught.value.message} {caught.value.hint}"
    assert [it for it in named if it not in said] == []
    assert list_latest(site.store) == []


@pytest.mark.parametrize(
    ("workflow", "ref", "kind", "named"),
    [
        ("none.yml", "", MissingError, "no workflow .github/workflows/none.yml"),
        ("../../etc/passwd.yml", "", MissingError, "no workflow '../../etc/passwd.yml'"),
        ("Build", "", MissingError, "name its file"),
        ("build.yml", "none", MissingError, "branches are main"),
        ("build.yml", "--all", MissingError, "no branch and no tag '--all'"),
        ("ci.yml", "", InvalidError, "does not start by hand"),
    ],
)
def test_workflows_that_cannot_be_started(
    site: Site, workflow: str, ref: str, kind: type[WindlassError], named: str
) -> None:
    """It is said what is missing."""
    with pytest.raises(kind) as caught:
        dispatch_workflow(site, NAME, workflow, ref=ref, inputs={"reason": "x"})
    assert named in f"{caught.value.message} {caught.value.hint}"


def test_a_repository_that_is_not_there(site: Site) -> None:
    """It is told by its name."""
    with pytest.raises(MissingError, match="octo/none"):
        dispatch_workflow(site, "octo/none", "build.yml")


def test_a_branch_and_a_tag(site: Site, pushed: PushedRepository) -> None:
    """The workflow and the commit are those of the ref, pushed since the server last looked."""
    pushed.git("checkout", "-q", "-b", "feature")
    pushed.write(".github/workflows/other.yml", CI.replace("push", "workflow_dispatch # later"))
    after = pushed.push(branch="feature")[1]
    pushed.git("tag", "v1")
    pushed.git("push", "-q", str(pushed.bare), "v1")
    for ref, full in (("feature", "refs/heads/feature"), ("v1", "refs/tags/v1")):
        event = find_attempt(
            site.store, dispatch_workflow(site, NAME, "other.yml", ref=ref), 1
        ).event
        assert (event.sha, event.ref) == (after, full)


def test_a_rule_of_the_branch(site: Site) -> None:
    """What a rule keeps from a branch is not started by hand there either."""
    rule = {"branches": ["main"], "workflows": ["release.yml"]}
    change_settings(site, NAME, {"rules": [rule]})
    with pytest.raises(RefusedError, match="does not start on 'main'"):
        dispatch_workflow(site, NAME, "other.yml")


DEPLOY = CI.replace("on: push", "on: {repository_dispatch: {types: [deploy]}}")


@pytest.mark.parametrize(("kind", "count"), [("deploy", 1), ("other", 0)])
def test_an_event_of_ones_own(site: Site, pushed: PushedRepository, kind: str, count: int) -> None:
    """Workflows that name its type start, with its payload."""
    pushed.write(".github/workflows/deploy.yml", DEPLOY)
    pushed.push()
    delivery = dispatch_event(site, NAME, kind, {"version": 3, "of": {"a": True}})
    process_delivery(site, delivery)
    row = find_delivery(site.store, delivery)
    assert row is not None
    assert row.state == ("started" if count else "nothing")
    runs = list_latest(site.store)
    assert len(runs) == count
    for run in runs:
        event = find_attempt(site.store, run.run.id, 1).event
        assert event.payload["client_payload"] == {"version": 3, "of": {"a": True}}
        assert (event.action, event.ref) == ("deploy", "refs/heads/main")


@pytest.mark.parametrize(
    ("kind", "payload", "named"),
    [
        ("", {}, "event_type"),
        ("x" * 101, {}, "event_type"),
        ("x", {str(number): 1 for number in range(11)}, "11 members"),
        ("x", {"a": "b" * 65536}, "letters"),
        ("x", {"a": float("nan")}, "no JSON"),
    ],
    ids=str.split("empty long many large nan"),
)
def test_events_that_cannot_be(site: Site, kind: str, payload: dict[str, Any], named: str) -> None:
    """GitHub's own limits hold."""
    with pytest.raises(InvalidError, match=named):
        dispatch_event(site, NAME, kind, payload)
