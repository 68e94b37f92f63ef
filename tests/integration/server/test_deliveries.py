"""Deliveries: what a server is told of a repository, and the runs that it starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.hosted_runs import Values, open_site
from tests.pushed_repository import CI, NOTHING, PushedRepository, tell_pull_request, tell_push

from windlass.db.deliveries import DeliveryRow, find_delivery
from windlass.db.jobs import list_queued
from windlass.db.runs import list_latest
from windlass.errors import GitError
from windlass.model.status import Result
from windlass.operations.hosted.attempts import find_attempt
from windlass.operations.hosted.deliveries import accept_delivery, process_delivery, show_deliveries
from windlass.operations.hosted.repositories import (
    change_settings,
    register_repository,
    require_repository,
)
from windlass.plan.signals import JobFinished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.definitions import Definition
    from windlass.operations.hosted.site import Site

NAME = "octo/boat"


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    return PushedRepository(tmp_path)


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    values = Values({"ENVIRONMENT": "none"}, {"PASSWORD": "hunter2"})
    with open_site(database_address, tmp_path / "data", values=values) as opened:
        yield opened


def deliver(site: Site, event: str, payload: str, guid: str = "1") -> DeliveryRow:
    """Have a delivery written down and processed, and return what came of it."""
    receipt = accept_delivery(site, require_repository(site, NAME), guid, event, payload)
    assert receipt.new
    process_delivery(site, receipt.id)
    row = find_delivery(site.store, receipt.id)
    assert row is not None
    return row


def definitions(site: Site) -> list[Definition]:
    """What the runs that were started are made of, in the order in which they were."""
    return [find_attempt(site.store, row.run.id, 1) for row in list_latest(site.store)[::-1]]


def test_a_push_starts_the_runs_of_its_workflows(site: Site, pushed: PushedRepository) -> None:
    """Each workflow `on: push` of the pushed commit is a run, with its jobs queued."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.write(".github/workflows/other.yml", CI.replace("CI", "Other"))
    pushed.write(".github/workflows/nightly.yml", CI.replace("push", "workflow_dispatch"))
    row = deliver(site, "push", tell_push(*pushed.push()))

    assert (row.state, row.message) == ("started", "")
    assert [it.path for it in definitions(site)] == [
        ".github/workflows/ci.yml",
        ".github/workflows/other.yml",
    ]
    first = definitions(site)[0]
    assert (first.event.sha, first.event.ref) == (pushed.find("main"), "refs/heads/main")
    assert first.repository.full_name == NAME
    assert first.repository.root == ""
    assert len(list_queued(site.store, 9)) == 2


CALLED = """\
on:
  workflow_call:
    inputs: {level: {type: string, required: true}}
    outputs: {verdict: {value: '${{ jobs.gate.outputs.verdict }}'}}
jobs:
  gate:
    runs-on: '${{ inputs.level }}'
    outputs: {verdict: fine}
    steps: [{run: echo}]
"""
CALLING = """\
on: push
jobs:
  quality: {uses: ./.github/workflows/gates.yml, with: {level: strict}}
  build:
    needs: quality
    if: needs.quality.outputs.verdict == 'fine'
    runs-on: x
    steps: [{run: echo}]
"""


@pytest.mark.requirement("A07")
def test_a_workflow_that_is_called_runs_in_the_run_of_its_caller(
    site: Site, pushed: PushedRepository
) -> None:
    """Its jobs are queued with the inputs they are given; what it answers decides what follows."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.write(".github/workflows/gates.yml", CALLED)
    pushed.write(".github/workflows/ci.yml", CALLING)
    deliver(site, "push", tell_push(*pushed.push()))

    (run,) = list_latest(site.store)
    (queued,) = list_queued(site.store, 9)
    assert (queued.job, queued.labels) == ("quality / gate", ("strict",))
    end = JobFinished("quality / gate", Result.SUCCESS, {"verdict": "fine"})
    assert site.runs.tell(run.run.id, 1, end)

    assert [it.job for it in list_queued(site.store, 9)] == ["build"]


def test_a_delivery_that_is_processed_again_starts_nothing(
    site: Site, pushed: PushedRepository
) -> None:
    """A server that dies in between leaves what it has started, and no more."""
    register_repository(site, str(pushed.bare), NAME)
    row = deliver(site, "push", tell_push(*pushed.push()))
    with site.store.writing() as connection:
        connection.execute("UPDATE deliveries SET state = 'received'")
    process_delivery(site, row.id)
    assert len(list_latest(site.store)) == 1
    assert find_delivery(site.store, row.id) == row


def test_a_delivery_that_comes_again(site: Site, pushed: PushedRepository) -> None:
    """It is known by its name, and another repository may use the same name."""
    one = register_repository(site, str(pushed.bare), NAME)
    other = register_repository(site, str(pushed.bare), "octo/other")
    payload = tell_push(*pushed.push())
    assert accept_delivery(site, one, "guid", "push", payload).new
    assert not accept_delivery(site, one, "guid", "push", payload).new
    assert accept_delivery(site, other, "guid", "push", payload).new
    assert len(show_deliveries(site, one, 9)) == 1


def test_a_workflow_that_cannot_be_read(site: Site, pushed: PushedRepository) -> None:
    """Its mistake is told with its place, and other workflows start."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.write(".github/workflows/broken.yml", "on: push\njobs: {build: {runs-on: x}}\n")
    row = deliver(site, "push", tell_push(*pushed.push()))
    assert row.state == "started"
    assert row.message.startswith(".github/workflows/broken.yml:2:")
    assert [it.name for it in definitions(site)] == ["CI"]


def test_only_a_workflow_that_cannot_be_read(site: Site, pushed: PushedRepository) -> None:
    """The delivery is refused."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.write(".github/workflows/ci.yml", "on: push\njobs: 1\n")
    assert deliver(site, "push", tell_push(*pushed.push())).state == "refused"


@pytest.mark.parametrize(
    ("files", "message", "expected"),
    [
        ({".github/workflows/ci.yml": CI.replace("push", "release")}, "A", "'push' starts no"),
        ({".github/workflows/ci.yml": ""}, "A [skip ci]", "[skip ci]"),
        ({"a": "b"}, "A\n\nskip-checks: true", "[skip ci]"),
    ],
    ids=["no workflow for it", "skipped by its title", "skipped by its trailer"],
)
def test_a_push_that_starts_nothing(
    site: Site, pushed: PushedRepository, files: dict[str, str], message: str, expected: str
) -> None:
    """It is said why."""
    register_repository(site, str(pushed.bare), NAME)
    for path, text in files.items():
        pushed.write(path, text or CI)
    row = deliver(site, "push", tell_push(*pushed.push(message)))
    assert row.state == "nothing"
    assert expected in row.message


def test_a_branch_without_workflows(site: Site, pushed: PushedRepository) -> None:
    """Most commits of most repositories have none."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.git("rm", "-q", "-r", ".github")
    row = deliver(site, "push", tell_push(*pushed.push()))
    assert row.state == "nothing"
    assert "has no workflows" in row.message


def test_a_branch_that_is_deleted(site: Site, pushed: PushedRepository) -> None:
    """The push of nothing starts nothing."""
    register_repository(site, str(pushed.bare), NAME)
    row = deliver(site, "push", tell_push("a" * 40, NOTHING, "refs/heads/old"))
    assert (row.state, row.message.startswith("refs/heads/old was deleted")) == ("nothing", True)


def test_a_commit_that_was_pushed_away(site: Site, pushed: PushedRepository) -> None:
    """A commit that a push by force has removed before it was fetched is not there."""
    register_repository(site, str(pushed.bare), NAME)
    row = deliver(site, "push", tell_push(NOTHING, "a" * 40))
    assert row.state == "nothing"
    assert "has no commit any more" in row.message


def test_a_commit_is_kept_for_its_run(site: Site, pushed: PushedRepository) -> None:
    """Jobs find it when its branch has moved on by force."""
    repository = register_repository(site, str(pushed.bare), NAME)
    pushed.write("a", "1")
    before, lost = pushed.push()
    deliver(site, "push", tell_push(before, lost))
    pushed.git("reset", "-q", "--hard", before)
    pushed.write("a", "2")
    deliver(site, "push", tell_push(lost, pushed.push()[1]), "2")
    mirror = site.data / "mirrors" / f"{repository.id}.git"
    pushed.git("--git-dir", str(mirror), "gc", "-q", "--prune=now")
    assert pushed.git("--git-dir", str(mirror), "cat-file", "-t", lost) == "commit"


PATHS = """\
on: {push: {paths: ['docs/**']}}
jobs: {build: {runs-on: x, steps: [{run: echo}]}}
"""


@pytest.mark.parametrize(("path", "count"), [("docs/a", 1), ("src/a", 0)], ids=["in", "out"])
def test_filters_by_path_look_at_the_whole_push(
    site: Site, pushed: PushedRepository, path: str, count: int
) -> None:
    """What an earlier commit of the same push has changed counts."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.write(".github/workflows/ci.yml", PATHS)
    before = pushed.push()[1]
    pushed.write(path, "1")
    pushed.commit()
    pushed.write("other", "1")
    deliver(site, "push", tell_push(before, pushed.push()[1]))
    assert len(list_latest(site.store)) == count


def test_a_new_branch_has_changed_what_the_default_branch_does_not_have(
    site: Site, pushed: PushedRepository
) -> None:
    """The commits since they parted count."""
    pushed.write(".github/workflows/ci.yml", PATHS)
    pushed.push()
    register_repository(site, str(pushed.bare), NAME)
    pushed.write("docs/a", "1")
    pushed.commit()
    pushed.write("other", "1")
    after = pushed.push(branch="feature")[1]
    deliver(site, "push", tell_push(NOTHING, after, "refs/heads/feature"))
    assert [it.event.ref for it in definitions(site)] == ["refs/heads/feature"]


@pytest.mark.requirement("A04")
def test_a_tag(site: Site, pushed: PushedRepository) -> None:
    """The run of a tag with a message is about the commit that it names."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.git("tag", "-a", "-m", "One", "v1")
    pushed.git("push", "-q", str(pushed.bare), "v1")
    tag = pushed.find("refs/tags/v1")
    deliver(site, "push", tell_push(NOTHING, tag, "refs/tags/v1"))
    assert tag != pushed.find("main")
    assert [(it.event.sha, it.event.ref) for it in definitions(site)] == [
        (pushed.find("main"), "refs/tags/v1")
    ]


PULL_REQUEST = CI.replace("push", "[pull_request, pull_request_target]")


@pytest.fixture
def proposed(pushed: PushedRepository) -> str:
    """A commit that is proposed by pull request 7, with GitHub's merge of it."""
    pushed.write(".github/workflows/ci.yml", PULL_REQUEST)
    pushed.push()
    pushed.git("checkout", "-q", "-b", "feature")
    pushed.write("a", "1")
    head = pushed.commit()
    pushed.git("checkout", "-q", "main")
    pushed.git("merge", "-q", "--no-ff", "feature", "-m", "Merge")
    spread = ("feature:refs/pull/7/head", "main:refs/pull/7/merge")
    pushed.git("push", "-q", str(pushed.bare), *spread)
    return head


@pytest.mark.parametrize("fork", [False, True])
def test_a_pull_request(site: Site, pushed: PushedRepository, proposed: str, *, fork: bool) -> None:
    """Its merge gets no secrets if it is a fork's; the workflows of its base do."""
    register_repository(site, str(pushed.bare), NAME)
    row = deliver(site, "pull_request", tell_pull_request(proposed, fork=fork))
    assert row.state == "started"
    found = {it.event.name: it for it in definitions(site)}
    merge, target = found["pull_request"], found["pull_request_target"]
    assert (merge.event.sha, merge.event.ref) == (
        pushed.find("refs/pull/7/merge"),
        "refs/pull/7/merge",
    )
    assert (target.event.sha, target.event.ref) == (pushed.find("main"), "refs/heads/main")
    assert (merge.from_fork, target.from_fork) == (fork, False)
    assert (merge.event.head_ref, merge.event.base_ref) == ("feature", "main")
    assert (merge.event.actor, merge.event.payload["number"]) == ("stranger", 7)


def test_a_merge_that_is_out_of_date(site: Site, pushed: PushedRepository, proposed: str) -> None:
    """Until GitHub has merged the newest commit, that commit itself is run."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.git("checkout", "-q", "feature")
    newer = pushed.commit()
    pushed.git("push", "-q", str(pushed.bare), "feature:refs/pull/7/head")
    deliver(site, "pull_request", tell_pull_request(newer))
    assert definitions(site)[0].event.sha == newer != proposed


RULED = CI.replace("echo built", "echo ${{ vars.ENVIRONMENT }}")


@pytest.mark.requirement("A15")
@pytest.mark.requirement("A16")
@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("main", {"heavy.yml": "production"}),
        ("develop", {"ci.yml": "staging", "heavy.yml": "staging"}),
        ("feature/a", {"ci.yml": "none"}),
    ],
)
def test_rules_of_branches(
    site: Site, pushed: PushedRepository, branch: str, expected: dict[str, str]
) -> None:
    """The first rule for a branch says which workflows start there, and with which variables."""
    rules = [
        {
            "branches": ["main"],
            "workflows": ["heavy.yml"],
            "variables": {"ENVIRONMENT": "production"},
        },
        {"branches": ["develop"], "variables": {"environment": "staging"}},
        {"branches": ["**"], "workflows": ["ci.yml"]},
    ]
    register_repository(site, str(pushed.bare), NAME, {"rules": rules})
    pushed.write(".github/workflows/heavy.yml", RULED)
    after = pushed.push(branch=branch)[1]
    row = deliver(site, "push", tell_push(NOTHING, after, f"refs/heads/{branch}"))
    found = {it.path.rpartition("/")[2]: it.given.vars["ENVIRONMENT"] for it in definitions(site)}
    assert found == expected
    assert ("rule of the repository" in row.message) == (len(expected) == 1)


def test_a_repository_that_cannot_be_reached(site: Site, pushed: PushedRepository) -> None:
    """It is tried again, and the delivery says so meanwhile."""
    register_repository(site, str(pushed.bare), NAME)
    payload = tell_push(*pushed.push())
    receipt = accept_delivery(site, require_repository(site, NAME), "1", "push", payload)
    aside = pushed.bare.with_name("aside")
    head = pushed.bare / "objects"
    head.rename(aside)
    with pytest.raises(GitError):
        process_delivery(site, receipt.id)
    row = find_delivery(site.store, receipt.id)
    assert row is not None
    assert (row.state, row.message.startswith("to be tried again: git ")) == ("received", True)

    aside.rename(head)
    process_delivery(site, receipt.id)
    again = find_delivery(site.store, receipt.id)
    assert again is not None
    assert (again.state, again.message) == ("started", "")


def test_links_to_files_of_the_server(site: Site, pushed: PushedRepository, tmp_path: Path) -> None:
    """A pushed symbolic link shows nobody a file of the server's machine."""
    (tmp_path / "private").write_text("hunter2: [\n")
    register_repository(site, str(pushed.bare), NAME)
    (pushed.work / ".github/workflows/link.yml").symlink_to(tmp_path / "private")
    row = deliver(site, "push", tell_push(*pushed.push()))
    assert (row.state, row.message) == ("started", "")


def test_workflow_files_of_many_megabytes(site: Site, pushed: PushedRepository) -> None:
    """They are refused before they are written or read."""
    register_repository(site, str(pushed.bare), NAME)
    pushed.write(".github/workflows/large.yml", "#" * (11 << 20))
    row = deliver(site, "push", tell_push(*pushed.push()))
    assert row.state == "refused"
    assert "more than 10 MiB" in row.message


def test_nothing_is_left_of_planning(site: Site, pushed: PushedRepository) -> None:
    """The checkouts for plans are removed."""
    register_repository(site, str(pushed.bare), NAME)
    deliver(site, "push", tell_push(*pushed.push()))
    assert list((site.data / "planning").iterdir()) == []


def test_the_payload_of_a_webhook_is_left_as_it_is(site: Site, pushed: PushedRepository) -> None:
    """`github.event` has what was sent and nothing else."""
    register_repository(site, str(pushed.bare), NAME)
    before, after = pushed.push()
    payload = json.loads(tell_push(before, after, repository={"id": 9007}, sender={"login": "mo"}))
    deliver(site, "push", json.dumps(payload))
    (definition,) = definitions(site)
    assert definition.event.payload == payload
    assert definition.event.actor == "mo"


def test_what_a_plain_push_leaves_out_is_made_up(site: Site, pushed: PushedRepository) -> None:
    """`github.event` of a push that no webhook told of has its commit and its repository."""
    register_repository(site, str(pushed.bare), NAME)
    change_settings(site, NAME, {"poll_seconds": 0})
    before, after = pushed.push("Say more")
    deliver(site, "push", tell_push(before, after))
    payload = definitions(site)[0].event.payload
    assert payload["head_commit"]["message"] == "Say more"  # type: ignore[index,call-overload]
    assert payload["repository"]["full_name"] == NAME  # type: ignore[index,call-overload]
    assert (payload["before"], payload["after"]) == (before, after)
