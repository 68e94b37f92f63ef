"""The plan down to its details: codes, groups, names and contexts of jobs and calls.

Expected values: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts and
https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
"""

from __future__ import annotations

import pytest
from tests.unit.plan.planning import happen, jobs_of, plan, verdicts_of

from windlass.lang.expressions import UNKNOWN
from windlass.plan.decision import Verdict
from windlass.plan.selection import Selection
from windlass.plan.synthesis import EventWishes

CALLED = ".github/workflows/called.yml"
REST = "runs-on: x, steps: [{run: a}]}"
"""What every job has."""
BROKEN = "${{ fromJSON(github.ref) }}"


@pytest.mark.parametrize(
    ("head", "job", "codes"),
    [
        ("", "{if: fromJSON(github.ref), runs-on: x}", ["job-fails"]),
        ("", f"{{runs-on: x, environment: '{BROKEN}'}}", ["job-fails"]),
        ("", f"{{runs-on: '{BROKEN}'}}", ["runs-on-fails"]),
        ("", f"{{runs-on: x, name: '{BROKEN}'}}", ["name-fails"]),
        ("", f"{{runs-on: x, concurrency: '{BROKEN}'}}", ["concurrency-fails"]),
        ("", "{runs-on: x, strategy: {matrix: {a: '${{ vars.n }}'}}}", ["invalid-strategy"]),
        (f"run-name: {BROKEN}\n", "{runs-on: x}", ["run-name-fails"]),
        (f"concurrency: {BROKEN}\n", "{runs-on: x}", ["concurrency-fails"]),
    ],
)
def test_codes_of_faults(head: str, job: str, codes: list[str]) -> None:
    """Each key that cannot be evaluated has a code of its own, and the place where it stands."""
    job = job.removesuffix("}") + ", steps: [{run: a}]}"
    found = plan(f"on: push\n{head}jobs:\n  a: {job}\n", variables={"n": "[]"})

    assert [finding.code for finding in found.diagnostics] == codes
    assert all(finding.span is not None and finding.message for finding in found.diagnostics)


def test_a_job_whose_condition_fails_says_so() -> None:
    """It would run and fail; the reason and the expression are there."""
    found = plan(
        "on: push\njobs:\n  a: {if: fromJSON(github.ref), runs-on: x, steps: [{run: a}]}\n"
    )
    decision = jobs_of(found)["a"].decision

    assert decision.verdict is Verdict.RUN
    assert decision.reason.startswith("it fails before it starts: ")
    assert decision.expression == "success() && (fromJSON(github.ref))"


def test_groups_are_in_the_plan() -> None:
    """Concurrency groups know what belongs to the leg; what depends on a result is unknown."""
    found = plan(
        """
        on: push
        concurrency: ${{ github.workflow }}-${{ vars.zone }}
        jobs:
          a:
            concurrency: '${{ github.job }} ${{ matrix.n }} ${{ strategy.job-total }}'
            strategy: {matrix: {n: [1, 2]}}
            runs-on: x
            steps: [{run: a}]
          b: {needs: a, concurrency: '${{ needs.a.outputs.x }}', runs-on: x, steps: [{run: a}]}
        """,
        variables={"zone": "eu"},
    )
    jobs = jobs_of(found)

    assert found.workflows[0].concurrency == ".github/workflows/ci.yml-eu"
    assert [leg.concurrency for leg in jobs["a"].legs] == ["a 1 2", "a 2 2"]
    assert jobs["b"].legs[0].concurrency is UNKNOWN


def test_a_workflow_that_does_not_start_evaluates_nothing() -> None:
    """Neither its names nor its inputs are looked at, so nothing in them can be wrong."""
    found = plan(
        f"on: pull_request\nrun-name: {BROKEN}\nconcurrency: {BROKEN}\n"
        "jobs: {a: {runs-on: x, steps: [{run: a}]}}\n"
    )
    (workflow,) = found.workflows

    assert found.diagnostics == ()
    assert (workflow.run_name, workflow.concurrency) == (None, None)


def test_wrong_inputs_are_found_once() -> None:
    """What is wrong with an input is a finding of the plan; its value counts as empty."""
    text = """
    on: {workflow_dispatch: {inputs: {n: {type: number}}}}
    jobs: {a: {if: inputs.n == '', runs-on: x, steps: [{run: a}]}}
    """
    found = plan(text, happen("workflow_dispatch", EventWishes(inputs={"n": "many"})))

    assert [finding.code for finding in found.diagnostics] == ["wrong-input"]
    assert verdicts_of(found) == {"a": "RUN"}


def test_results_of_skipped_jobs_are_known() -> None:
    """A job that is skipped for certain has a result and no outputs."""
    found = plan(
        f"""
        on: push
        jobs:
          a: {{if: 'false', {REST}
          b: {{needs: a, if: "always() && needs.a.result == 'skipped'", {REST}
          c: {{needs: a, if: "always() && needs.a.outputs.x", {REST}
          d: {{needs: a, if: "always() && toJSON(needs.a.outputs) == '{{}}'", {REST}
        """
    )

    assert verdicts_of(found) == {"a": "SKIP", "b": "RUN", "c": "SKIP", "d": "RUN"}


CALLS = f"""
on: push
jobs:
  outer:
    name: Outer
    uses: ./{CALLED}
    permissions: {{contents: read, issues: write}}
    with: {{level: '${{{{ github.ref_name }}}}'}}
"""
INNER = """
on: {workflow_call: {inputs: {level: {type: string}}}}
jobs:
  silent: {name: 'On ${{ inputs.level }}', runs-on: x, steps: [{run: a}]}
  strict:
    permissions: {contents: read}
    runs-on: x
    steps: [{run: a}]
  skipped:
    if: 'false'
    runs-on: x
    steps: [{uses: actions/checkout@v4}, {run: b}]
"""


def test_jobs_of_a_call() -> None:
    """They have their caller's name in front, its inputs, and no more than its permissions."""
    found = plan(CALLS, called={CALLED: INNER})
    jobs = jobs_of(found)

    assert found.diagnostics == ()
    assert jobs["outer"].uses == f"./{CALLED}"
    assert jobs["outer"].legs[0].inputs == {"level": "feature"}
    assert jobs["outer / silent"].legs[0].name == "Outer / On feature"
    assert jobs["outer / silent"].uses is None
    levels = {
        key: {scope: level for scope, level in jobs[key].permissions.items() if level != "none"}
        for key in ("outer / silent", "outer / strict", "outer / skipped")
    }
    both = {"contents": "read", "issues": "write"}
    assert levels == {
        "outer / silent": both,
        "outer / strict": {"contents": "read"},
        "outer / skipped": both,
    }


def test_steps_of_a_skipped_job() -> None:
    """They are named as they are written, with the action they would use."""
    steps = jobs_of(plan(CALLS, called={CALLED: INNER}))["outer / skipped"].legs[0].steps

    assert [(step.name, step.uses, step.decision.verdict) for step in steps] == [
        ("Run actions/checkout@v4", "actions/checkout@v4", Verdict.SKIP),
        ("Run b", None, Verdict.SKIP),
    ]


def test_a_call_whose_inputs_cannot_be_evaluated() -> None:
    """The fault is told with its place, and the inputs are unknown to the jobs."""
    broken = CALLS.replace("${{ github.ref_name }}", BROKEN)
    inner = INNER.replace("'false'", "inputs.level == 'x'")
    found = plan(broken, called={CALLED: inner})

    assert [finding.code for finding in found.diagnostics] == ["job-fails"]
    assert found.diagnostics[0].span is not None
    assert jobs_of(found)["outer"].legs[0].inputs == {"level": UNKNOWN}
    assert verdicts_of(found)["outer / skipped"] == "UNKNOWN"


def test_a_call_of_another_repository_has_no_jobs_here() -> None:
    """It is in the plan by its name alone."""
    found = plan("on: push\njobs: {a: {uses: octo/app/.github/workflows/a.yml@v1}}\n")
    (leg,) = jobs_of(found)["a"].legs

    assert (leg.key, leg.inputs, leg.jobs) == ("a", {}, ())


@pytest.mark.parametrize(
    ("legs", "matrix", "hint"),
    [
        ({"b": "1"}, "{a: [1], c: [2]}", "the keys are a, c"),
        ({"A": "1"}, "{a: [1], c: [2]}", None),
    ],
)
def test_keys_of_legs(legs: dict[str, str], matrix: str, hint: str | None) -> None:
    """A key that no matrix has is a mistake of the call; the keys there are, are named."""
    text = f"on: push\njobs: {{a: {{strategy: {{matrix: {matrix}}}, {REST}}}\n"
    found = plan(text, selection=Selection(legs=legs)).diagnostics

    assert [(one.code, one.message, one.hint) for one in found] == (
        [] if hint is None else [("unknown-matrix-key", "no matrix has a key 'b'", hint)]
    )


def test_a_leg_of_a_workflow_without_a_matrix() -> None:
    """Where there is no matrix at all, the hint says so."""
    text = "on: push\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n"
    (found,) = plan(text, selection=Selection(legs={"b": "1"})).diagnostics

    assert (found.code, found.hint) == ("unknown-matrix-key", "no job has a matrix")


def test_two_values_that_no_leg_has() -> None:
    """All that was asked for is named."""
    text = "on: push\njobs: {a: {strategy: {matrix: {m: [1], n: [2]}}, " + REST + "}\n"
    (found,) = plan(text, selection=Selection(legs={"m": "3", "n": "4"})).diagnostics

    assert found.code == "unknown-leg"
    assert found.message == "No leg of the matrix has m=3, n=4; there are: a (1, 2)"


def test_a_job_that_no_workflow_has() -> None:
    """The workflow is not started, and the finding names the jobs there are."""
    text = (
        "on: push\njobs: {a: {runs-on: x, steps: [{run: a}]}, b: {runs-on: x, steps: [{run: a}]}}\n"
    )
    found = plan(text, selection=Selection("c"))

    assert [(one.code, one.hint) for one in found.diagnostics] == [
        ("unknown-job", "the jobs are a, b")
    ]
    decision = found.workflows[0].decision
    assert (decision.verdict, decision.reason) == (Verdict.SKIP, "it has no job 'c'")


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
