"""Planning in real checkouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.errors import InputError
from windlass.lang.diagnostics import has_error
from windlass.operations.plans import PlanOptions, plan_event

if TYPE_CHECKING:
    from tests.integration.git.conftest import Checkout

CI = """
on:
  push: {branches: [main], paths: ['src/**']}
  pull_request:
    branches: [main]
    paths-ignore: ['docs/**']
jobs:
  build: {runs-on: ubuntu-latest, steps: [{uses: actions/checkout@v4}, {run: make}]}
"""
RELEASE = """
on: {push: {tags: ['v*']}}
jobs:
  publish: {runs-on: ubuntu-latest, steps: [{run: make release}]}
"""


ON_HOST = PlanOptions(places={"*": "host"})


def verdicts(checkout: Checkout, event: str, options: PlanOptions | None = None) -> dict[str, str]:
    planning = plan_event(checkout.path, event, options or ON_HOST)
    assert planning.plan is not None
    assert not has_error(planning.diagnostics), planning.diagnostics
    return {
        workflow.path.rpartition("/")[2]: workflow.decision.verdict.value
        for workflow in planning.plan.workflows
    }


@pytest.fixture
def project(checkout: Checkout) -> Checkout:
    """A repository with two workflows."""
    checkout.write(".github/workflows/ci.yml", CI)
    checkout.write(".github/workflows/release.yml", RELEASE)
    checkout.commit("Add workflows")
    return checkout


@pytest.mark.requirement("A02")
def test_a_push_runs_what_its_files_concern(project: Checkout) -> None:
    """The files of the head commit decide."""
    assert verdicts(project, "push") == {"ci.yml": "SKIP", "release.yml": "SKIP"}

    project.write("src/a.py")
    project.commit()

    assert verdicts(project, "push") == {"ci.yml": "RUN", "release.yml": "SKIP"}


@pytest.mark.requirement("A03")
def test_a_pull_request_looks_at_the_whole_branch(project: Checkout) -> None:
    """Every commit since the default branch counts."""
    project.git("checkout", "--quiet", "-b", "feature")
    project.write("docs/a.md")
    project.commit()

    assert verdicts(project, "pull_request")["ci.yml"] == "SKIP"

    project.write("src/a.py")
    project.commit()
    project.write("docs/b.md")
    project.commit()

    assert verdicts(project, "pull_request")["ci.yml"] == "RUN"
    assert (
        verdicts(project, "pull_request", PlanOptions(base="HEAD^", places={"*": "host"}))["ci.yml"]
        == "SKIP"
    )


def test_a_base_that_is_a_branch_is_the_base_branch(project: Checkout) -> None:
    """`--base` names a branch of the pull request, or only a commit to compare with."""
    start = project.git("rev-parse", "HEAD")
    project.git("branch", "releases/1")
    project.git("checkout", "--quiet", "-b", "feature")
    project.write("src/a.py")
    project.commit()

    for base, branch in (("releases/1", "releases/1"), (start, "main"), ("HEAD^", "main")):
        event = plan_event(
            project.path, "pull_request", PlanOptions(base=base, places={"*": "host"})
        ).event
        assert event is not None
        assert (event.base_ref, event.changed_files) == (branch, ("src/a.py",))


@pytest.mark.requirement("A04")
def test_a_tag_releases(project: Checkout) -> None:
    """A checked-out tag, or an event file that names one, is a push of that tag."""
    by_file = PlanOptions(payload={"ref": "refs/tags/v2"}, places={"*": "host"})

    assert verdicts(project, "push", by_file) == {"ci.yml": "SKIP", "release.yml": "RUN"}

    project.git("tag", "v1")
    project.git("checkout", "--quiet", "v1")

    assert verdicts(project, "push") == {"ci.yml": "SKIP", "release.yml": "RUN"}


def test_an_unknown_event_is_a_diagnostic(project: Checkout) -> None:
    """There is no plan then."""
    planning = plan_event(project.path, "pusj", ON_HOST)

    assert planning.plan is None
    assert has_error(planning.diagnostics)
    assert planning.diagnostics[0].hint == "did you mean 'push'?"


def test_a_workflow_with_mistakes_is_not_planned(project: Checkout) -> None:
    """The others are, and the mistake is there."""
    project.write(".github/workflows/bad.yml", "on: push\njobs: {}\n")
    planning = plan_event(project.path, "push", ON_HOST)

    assert planning.plan is not None
    assert len(planning.plan.workflows) == 2
    assert has_error(planning.diagnostics)


def test_the_same_checkout_has_the_same_hash(project: Checkout) -> None:
    """A changed workflow file changes it, committed or not."""
    hashes = []
    for text in (CI, CI, f"{CI}# changed\n"):
        project.write(".github/workflows/ci.yml", text)
        planning = plan_event(project.path, "push", ON_HOST)
        assert planning.plan is not None
        hashes.append(planning.plan.hash())

    assert hashes[0] == hashes[1] != hashes[2]


def test_a_repository_without_workflows(checkout: Checkout) -> None:
    """There is nothing to plan."""
    with pytest.raises(InputError, match="there are no workflows"):
        plan_event(checkout.path, "push", ON_HOST)
