"""What a leg is started with: its labels, its contexts, and how deep calls may go.

Source: actions/runner src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter.cs and
https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.machines import CONTEXTS, Play, call, job, workflow
from tests.unit.plan.planning import read

from windlass.plan.calls import MAX_LEVELS
from windlass.plan.orders import RejectJob, StartJob
from windlass.plan.run import RunMachine
from windlass.plan.signals import RunStarted


@pytest.mark.parametrize(
    ("runs_on", "labels"),
    [
        ("linux", ("linux",)),
        (["self-hosted", "linux"], ("self-hosted", "linux")),
        ({"group": "big", "labels": "linux"}, ("linux",)),
        ({"group": "big", "labels": ["linux", "x64"]}, ("linux", "x64")),
        ({"group": "big"}, ()),
        ("${{ fromJSON('[\"a\", 5]') }}", ("a", "5")),
        ("${{ github.ref }}", ("refs/heads/main",)),
    ],
)
def test_labels(runs_on: Any, labels: tuple[str, ...]) -> None:
    """A text, a list, or the labels of a group."""
    assert Play(job("a", runs_on=runs_on)).order(StartJob, "a").labels == labels


@pytest.mark.parametrize(
    ("runs_on", "message"),
    [
        ("${{ fromJSON('[true]') }}", "A label of 'runs-on' is not a string"),
        ("${{ fromJSON('[[\"a\"]]') }}", "A label of 'runs-on' is not a string"),
        ("${{ github.none }}", "A label of 'runs-on' is not a string"),
        ("${{ '' }}", "Unexpected value ''"),
        (["a", ""], "Unexpected value ''"),
    ],
)
def test_wrong_labels(runs_on: Any, message: str) -> None:
    """What no runner can have is refused at its place."""
    reject = Play(job("a", runs_on=runs_on)).order(RejectJob, "a")

    assert reject.message == f"w.yml (Line: 1, Col: 1): {message}"


def test_a_job_knows_its_id_and_its_leg() -> None:
    """`github.job`, `strategy` and `matrix` are those of the leg."""
    play = Play(job("a", strategy={"matrix": {"v": ["x"]}}, runs_on="${{ github.job }}"))
    start = play.order(StartJob, "a (x)")

    assert start.labels == ("a",)
    assert start.contexts["github"] == {**CONTEXTS["github"], "job": "a"}
    assert start.contexts["matrix"] == {"v": "x"}
    assert start.contexts["strategy"]["job-total"] == 1


@pytest.mark.parametrize(
    ("name", "shown"), [("${{ matrix.v }}!", "x!"), ("${{ '' }}", "a (x)"), ("Build", "Build (x)")]
)
def test_names(name: str, shown: str) -> None:
    """A computed name is the whole name; an empty one is that of the values."""
    written = "${{ format('{0}!', matrix.v) }}" if name.endswith("!") else name
    play = Play(job("a", strategy={"matrix": {"v": ["x"]}}, name=written))

    assert play.order(StartJob, "a (x)").name == shown


def test_a_workflow_that_is_not_there() -> None:
    """The job that calls it is rejected where it names it."""
    reject = Play(call("a", None)).order(RejectJob, "a")

    assert reject.message == (
        "w.yml (Line: 1, Col: 1): The workflow './.github/workflows/called.yml' was not found"
    )


def test_calls_go_so_deep() -> None:
    """So many workflows may call one another, the first one counted; one more is refused."""
    called = workflow(job("last"))
    for _ in range(MAX_LEVELS - 1):
        called = workflow(call("c", called))
    (start,) = RunMachine(called, CONTEXTS).receive(RunStarted())
    reject, _ = RunMachine(workflow(call("c", called)), CONTEXTS).receive(RunStarted())

    assert isinstance(start, StartJob)
    assert start.key == " / ".join(["c"] * (MAX_LEVELS - 1) + ["last"])
    assert isinstance(reject, RejectJob)
    assert reject.message == (
        "w.yml (Line: 1, Col: 1): "
        f"Workflows may call one another {MAX_LEVELS} levels deep; this is one more"
    )


CALLED = """
on:
  workflow_call:
    inputs: {place: {type: string}, size: {type: number, default: 3}}
    secrets: {token: {}}
jobs:
  b:
    runs-on: x
    steps: [{run: x}]
"""
CALLER = """
on: push
jobs:
  a:
    strategy: {matrix: {v: [north]}}
    uses: ./.github/workflows/called.yml
    with: {place: '${{ matrix.v }}'}
    secrets: {token: '${{ secrets.T }}'}
"""


def test_a_called_workflow_has_its_inputs_and_what_secrets_are_made_of() -> None:
    """Inputs may look at the leg that calls; secrets are evaluated later, with its contexts."""
    caller = read(CALLER, {".github/workflows/called.yml": CALLED})
    (start,) = RunMachine(caller, CONTEXTS).receive(RunStarted())

    assert isinstance(start, StartJob)
    assert start.key == "a (north) / b"
    assert start.contexts["inputs"] == {"place": "north", "size": 3}
    (handover,) = start.handovers
    assert handover.contexts["matrix"] == {"v": "north"}
    assert handover.inherit is False


@pytest.mark.requirement("A26")
@pytest.mark.parametrize(
    ("caller", "called", "level"),
    [
        ("{id-token: write}", None, "write"),
        ("{id-token: write}", "{id-token: write}", "write"),
        ("write-all", "{id-token: write}", "write"),
        ("write-all", "{contents: read}", "none"),
        ("read-all", None, "read"),
        (None, None, "none"),
    ],
)
def test_a_called_job_may_do_no_more_than_its_caller(
    caller: str | None, called: str | None, level: str
) -> None:
    """A job's permissions are what the workflow that calls has, or less."""
    outer = CALLER + (f"    permissions: {caller}\n" if caller else "")
    inner = CALLED + (f"    permissions: {called}\n" if called else "")
    workflow = read(outer, {".github/workflows/called.yml": inner})
    (start,) = RunMachine(workflow, CONTEXTS).receive(RunStarted())

    assert isinstance(start, StartJob)
    assert start.permissions["id-token"] == level


def test_a_job_that_says_nothing_gets_the_default_permissions() -> None:
    """Contents and packages may be read, which is GitHub's restricted default."""
    permissions = Play(job("a")).order(StartJob, "a").permissions

    assert {scope for scope, level in permissions.items() if level == "read"} == {
        "contents",
        "packages",
    }
    assert "write" not in permissions.values()
