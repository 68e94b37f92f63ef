"""The steps of a leg in a plan: which run, what they are called, which variables they see.

Expected values: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts and
actions/runner src/Runner.Worker/ActionRunner.cs
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.plan.planning import jobs_of, plan

from windlass.plan.decision import Verdict


@pytest.mark.parametrize(
    "condition",
    [
        "steps.a.outcome == 'skipped' && steps.a.conclusion == 'skipped'",
        "toJSON(steps.a.outputs) == '{}'",
    ],
)
def test_results_of_skipped_steps_are_known(condition: str) -> None:
    """A step that is skipped for certain has an outcome, a conclusion and no outputs."""
    text = (
        "on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n      - {run: a, id: a, if: 'false'}\n"
        f'      - {{run: b, id: b, if: "{condition}"}}\n'
    )
    steps = jobs_of(plan(text))["j"].legs[0].steps

    assert {step.id: step.decision.verdict.value for step in steps} == {"a": "SKIP", "b": "RUN"}


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ("env.OWN == 'mine'", "RUN"),
        ("env.OWN == 'feature'", "SKIP"),
        ("env.BOTH == 'job'", "RUN"),
        ("env.NUMBER == '5'", "RUN"),
        ("env.own == 'mine'", "SKIP"),
        ("runner.os == 'Linux'", "UNKNOWN"),
        ("job.status == 'success'", "UNKNOWN"),
    ],
)
def test_variables_of_a_step(condition: str, verdict: str) -> None:
    """A step's own variables lie over the job's, these over the workflow's; names have a case."""
    text = (
        "on: push\nenv: {BOTH: workflow, NUMBER: 5}\njobs:\n  j:\n    runs-on: ['${{ vars.l }}']\n"
        "    env: {BOTH: job, OWN: '${{ github.ref_name }}'}\n    steps:\n"
        f'      - {{run: a, env: {{OWN: mine}}, if: "{condition}"}}\n'
    )
    (step,) = jobs_of(plan(text))["j"].legs[0].steps

    assert step.decision.verdict.value == verdict


def test_a_step_whose_condition_fails() -> None:
    """It counts as one that runs, and the reason says what happens."""
    text = "on: push\njobs: {j: {runs-on: x, steps: [{run: a, if: fromJSON(github.ref)}]}}\n"
    (step,) = jobs_of(plan(text))["j"].legs[0].steps

    assert step.decision.verdict is Verdict.RUN
    assert step.decision.reason.startswith("it fails: ")
    assert step.decision.expression == "success() && (fromJSON(github.ref))"


NEW_LINE = "fromJSON('[\"\\n\"]')[0]"


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"name": 5}, "5"),
        ({"name": ""}, "run"),
        ({"name": None}, "run"),
        ({"name": " \t\r\n first\rsecond"}, "first"),
        ({"name": "\u00a0X \u2028 marks\nthe spot"}, "\u00a0X \u2028 marks"),
        ({"name": "X marks"}, "X marks"),
        ({"name": "${{ github.ref_name }}"}, "feature"),
        ({"name": "${{ '' }}"}, "run"),
        ({"name": f"${{{{ format(' first{{0}}second', {NEW_LINE}) }}}}"}, "first"),
        ({"name": "${{ hashFiles('x') }}"}, "${{ hashFiles('x') }}"),
        ({"name": "To ${{ secrets.KEY }}"}, "To ${{ secrets.KEY }}"),
        ({"run": ""}, "run"),
        ({"run": " "}, "run"),
        ({"run": "\n \t make\nmore"}, "Run make"),
        ({"uses": "docker://alpine:3"}, "Run alpine:3"),
        ({"uses": "actions/checkout@v4"}, "Run actions/checkout@v4"),
    ],
)
def test_names(keys: dict[str, Any], name: str) -> None:
    """The first line that is not blank is the name; without any it is `run`.

    A name that depends on what is not known yet stays as it was written.
    """
    step = keys if "uses" in keys else {"run": "a", **keys}
    text = f"on: push\njobs: {{j: {{runs-on: x, steps: [{json.dumps(step)}]}}}}\n"

    assert jobs_of(plan(text))["j"].legs[0].steps[0].name == name


def test_names_of_steps_that_are_skipped_with_their_job() -> None:
    """They are as they were written, in one line."""
    steps = [{"name": "${{ github.ref }}\nmore", "run": "a"}, {"uses": "docker://alpine"}]
    text = f"on: push\njobs: {{j: {{if: false, runs-on: x, steps: {json.dumps(steps)}}}}}\n"

    assert [step.name for step in jobs_of(plan(text))["j"].legs[0].steps] == [
        "${{ github.ref }}",
        "Run alpine",
    ]


def test_a_step_that_is_skipped_writes_no_variables() -> None:
    """Only after one that may have run is a variable that nobody declares not known."""
    text = """
    on: push
    jobs:
      j:
        runs-on: x
        steps:
          - {if: false, run: a}
          - {if: env.UNSET == '', run: b}
          - {if: env.UNSET == '', run: c}
    """
    steps = jobs_of(plan(text))["j"].legs[0].steps

    assert [step.decision.verdict.value for step in steps] == ["SKIP", "RUN", "UNKNOWN"]


@pytest.mark.parametrize(
    ("env", "condition", "verdict"),
    [
        ("{HASH: \"${{ hashFiles('x') }}\", OWN: a}", "env.OWN == 'a'", "RUN"),
        ("{HASH: \"${{ hashFiles('x') }}\", OWN: a}", "env.HASH == 'a'", "UNKNOWN"),
        ("{KEY: '${{ secrets.KEY }}', OWN: a}", "env.OWN == 'a'", "RUN"),
        ("{KEY: '${{ secrets.KEY }}', OWN: a}", "env.KEY == 'a'", "UNKNOWN"),
        ("{OWN: true}", "env.OWN == 'true'", "RUN"),
        ("{OWN: '${{ true }}'}", "env.OWN == 'true'", "RUN"),
        ("{OWN: '${{ env.LEVEL }}'}", "env.OWN == 'high'", "RUN"),
        ("{OWN: '${{ job.status }}', A: b}", "env.A == 'b'", "RUN"),
        ("{OWN: '${{ fromJSON(github.ref) }}'}", "env.OWN == 'a'", "UNKNOWN"),
        ("{OWN: '${{ fromJSON(github.ref) }}'}", "env.LEVEL == 'high'", "RUN"),
    ],
)
def test_variables_that_are_not_all_known(env: str, condition: str, verdict: str) -> None:
    """Those that are known stay so beside one that is not, or that cannot be evaluated."""
    text = (
        "on: push\nenv: {LEVEL: high}\njobs:\n  j:\n    runs-on: x\n    steps:\n"
        f'      - {{run: a, env: {env}, if: "{condition}"}}\n'
    )
    (step,) = jobs_of(plan(text))["j"].legs[0].steps

    assert step.decision.verdict.value == verdict
