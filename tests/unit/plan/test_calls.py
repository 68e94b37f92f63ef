"""Reusable workflows: inputs, outputs, results.

Expected values: https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows and
actions/runner src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter.cs
(ConvertToWorkflowJobInputs).
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.planning import read

from windlass.lang.expressions import UNKNOWN
from windlass.lang.workflow.model import CallJob
from windlass.model.status import Result
from windlass.plan.calls import (
    combine_results,
    evaluate_inputs,
    evaluate_outputs,
    find_local_path,
)
from windlass.plan.faults import PlanFault

CALLED = """
on:
  workflow_call:
    inputs:
      text: {type: string}
      flag: {type: boolean}
      count: {type: number}
      branch: {type: string, default: '${{ github.ref_name }}'}
    outputs:
      image: {value: '${{ jobs.build.outputs.image }}'}
      result: {value: '${{ jobs.build.result }}'}
jobs:
  build: {runs-on: x, steps: [{run: 'true'}]}
"""
CONTEXTS: dict[str, Any] = {
    "github": {"ref_name": "main"},
    "inputs": {},
    "vars": {"on": True, "number": 4, "text": "4"},
    "needs": {"first": UNKNOWN},
    "strategy": {},
    "matrix": {"component": "api"},
}


def call(inputs: str) -> dict[str, Any] | PlanFault:
    path = ".github/workflows/called.yml"
    workflow = read(
        f"on: push\njobs:\n  call:\n    uses: ./{path}\n    with: {inputs}\n", {path: CALLED}
    )
    job = workflow.jobs[0]
    assert isinstance(job, CallJob)
    assert job.called is not None
    return evaluate_inputs(job, job.called, caller=CONTEXTS, defaults=CONTEXTS)


@pytest.mark.requirement("A07")
@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("{}", {"text": "", "flag": False, "count": 0, "branch": "main"}),
        ("{text: x}", {"text": "x"}),
        ("{text: 1.50}", {"text": "1.5"}),
        ("{text: true}", {"text": "true"}),
        ("{flag: true}", {"flag": True}),
        ("{flag: '${{ vars.on }}'}", {"flag": True}),
        ("{count: 3}", {"count": 3}),
        ("{count: '${{ vars.number }}'}", {"count": 4}),
        ("{text: 'image-${{ matrix.component }}'}", {"text": "image-api"}),
        ("{branch: dev}", {"branch": "dev"}),
        ("{text: '${{ needs.first.outputs.x }}'}", {"text": UNKNOWN}),
    ],
)
def test_inputs(inputs: str, expected: dict[str, Any]) -> None:
    """Inputs are of their declared type; what is not given is its default or empty."""
    found = call(inputs)

    assert isinstance(found, dict)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.requirement("A07")
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("{flag: '${{ vars.text }}'}", "Unexpected value '4'"),
        ("{count: '${{ vars.text }}'}", "Unexpected value '4'"),
        ("{text: '${{ vars }}'}", "A mapping was not expected"),
        ("{text: '${{ fromJSON(vars.none) }}'}", "empty input"),
    ],
)
def test_inputs_of_the_wrong_type(inputs: str, message: str) -> None:
    """A value of another type is a fault where it was written; strings are not converted."""
    fault = call(inputs)

    assert isinstance(fault, PlanFault)
    assert message in fault.message
    assert fault.span is not None


@pytest.mark.requirement("A07")
def test_outputs() -> None:
    """Outputs are evaluated over the jobs of the called workflow."""
    jobs = {"build": {"result": "success", "outputs": {"image": "app:1"}}}
    found = evaluate_outputs(read(CALLED), {**CONTEXTS, "jobs": jobs})

    assert found == {"image": "app:1", "result": "success"}


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["success", "success"], "success"),
        (["success", "skipped"], "success"),
        (["skipped", "skipped"], "skipped"),
        (["success", "cancelled"], "cancelled"),
        (["cancelled", "failure", "success"], "failure"),
        ([], "skipped"),
    ],
)
def test_results(results: list[str], expected: str) -> None:
    """The worst result of the jobs is that of the call."""
    assert combine_results(map(Result, results)) == Result(expected)


@pytest.mark.parametrize(
    ("uses", "path"),
    [
        ("./.github/workflows/a.yml", ".github/workflows/a.yml"),
        ("$/.github/workflows/a.yml", ".github/workflows/a.yml"),
        ("octo/app/.github/workflows/a.yml@v1", None),
    ],
)
def test_paths(uses: str, path: str | None) -> None:
    """Workflows of the repository itself have a path in it."""
    assert find_local_path(uses) == path
