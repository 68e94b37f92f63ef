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
    check_number_called,
    combine_results,
    evaluate_inputs,
    evaluate_outputs,
    find_called,
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


def test_an_output_that_cannot_be_evaluated() -> None:
    """The fault has the place of the output's value in the called workflow."""
    text = CALLED.replace("jobs.build.result }}", "fromJSON(jobs.build.result) }}")
    fault = evaluate_outputs(read(text), {**CONTEXTS, "jobs": {"build": {"result": "a"}}})

    assert isinstance(fault, PlanFault)
    assert str(fault.span) == ".github/workflows/ci.yml:11:23"


@pytest.mark.parametrize(
    ("inputs", "message", "column"),
    [
        ("{flag: '${{ vars.list }}'}", "A sequence was not expected", 18),
        ("{text: '${{ vars.list }}'}", "A sequence was not expected", 18),
        ("{text: '${{ vars }}'}", "A mapping was not expected", 18),
        ("{flag: '${{ vars.text }}'}", "Unexpected value '4'", 18),
        ("{gone: 1}", "Invalid input, gone is not defined in the referenced workflow.", 18),
    ],
)
def test_faults_of_inputs_have_their_place(inputs: str, message: str, column: int) -> None:
    """The message is GitHub's and points at the value."""
    contexts = {**CONTEXTS, "vars": {**CONTEXTS["vars"], "list": [1]}}
    fault = call_in(contexts, inputs)

    assert isinstance(fault, PlanFault)
    assert (fault.message, fault.span and str(fault.span.start)) == (message, f"5:{column}")


def test_a_required_input_that_is_not_given() -> None:
    """The fault is about the call, whose place it has."""
    fault = call_in(
        CONTEXTS, "{}", CALLED.replace("{type: string}", "{type: string, required: true}")
    )

    assert isinstance(fault, PlanFault)
    assert fault.message == "Input text is required, but not provided while calling."
    assert str(fault.span) == ".github/workflows/ci.yml:4:11"


def test_defaults_know_less_than_the_caller_gives() -> None:
    """A default is evaluated without the caller's matrix."""
    called = CALLED.replace("github.ref_name", "github.ref_name || 5")
    found = call_in(
        CONTEXTS, "{text: '${{ matrix.component }}'}", called, {"github": {}, "inputs": {}}
    )

    assert isinstance(found, dict)
    assert (found["text"], found["branch"]) == ("api", "5")


def call_in(
    caller: dict[str, Any],
    inputs: str,
    called: str = CALLED,
    defaults: dict[str, Any] | None = None,
) -> dict[str, Any] | PlanFault:
    """Evaluate inputs of a call that is not compared with what it calls before."""
    uses = "octo/app/.github/workflows/a.yml@v1"
    text = f"on: push\njobs:\n  call:\n    uses: {uses}\n    with: {inputs}\n"
    job = read(text).jobs[0]
    assert isinstance(job, CallJob)
    return evaluate_inputs(
        job, read(called), caller=caller, defaults=caller if defaults is None else defaults
    )


@pytest.mark.parametrize(("count", "codes"), [(50, []), (51, ["too-many-called"])])
def test_different_workflows_are_counted(count: int, codes: list[str]) -> None:
    """Fifty workflows may be reached, directly or not; each counts once."""
    folder = ".github/workflows"
    leaf = "on: workflow_call\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n"
    files = {f"{folder}/n{number}.yml": leaf for number in range(count - 1)}
    files[f"{folder}/all.yml"] = "on: workflow_call\njobs:\n" + "".join(
        f"  j{number}: {{uses: ./{path}}}\n" for number, path in enumerate(files)
    )
    text = f"on: push\njobs: {{a: {{uses: ./{folder}/all.yml}}, b: {{uses: ./{folder}/n0.yml}}}}\n"
    workflow = read(text, files)
    called = find_called(workflow)
    assert {path: one.path for path, one in called.items()} == dict(zip(files, files, strict=True))

    finding = check_number_called(workflow)
    assert [one.code for one in (finding,) if one is not None] == codes
    if finding is not None:
        assert finding.message == (
            ".github/workflows/ci.yml calls 51 different workflows, more than 50"
        )
        assert finding.span == workflow.span
        assert finding.hint == "merge some of them, or start them by an event of their own"
