"""Calls of reusable workflows in a plan: names, inputs, permissions and what is skipped.

Expected values: https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
"""

from __future__ import annotations

from tests.unit.plan.planning import jobs_of, plan, verdicts_of

from windlass.lang.expressions import UNKNOWN
from windlass.plan.decision import Verdict
from windlass.plan.selection import Selection

CALLED = ".github/workflows/called.yml"
REST = "runs-on: x, steps: [{run: a}]}"
"""What every job has."""
BROKEN = "${{ fromJSON(github.ref) }}"
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


def test_a_caller_that_says_nothing_limits_what_it_calls() -> None:
    """It has GitHub's restricted default, and no job below it has more, skipped or not."""
    inner = """
    on: workflow_call
    jobs:
      asks: {permissions: write-all, runs-on: x, steps: [{run: a}]}
      skipped: {if: false, permissions: write-all, runs-on: x, steps: [{run: a}]}
    """
    found = plan(
        f"on: push\njobs: {{a: {{uses: ./{CALLED}}}, b: {{if: false, uses: ./{CALLED}}}}}\n",
        called={CALLED: inner},
    )
    levels = {
        key: {scope: level for scope, level in job.permissions.items() if level != "none"}
        for key, job in jobs_of(found).items()
    }

    assert set(levels) == {"a", "a / asks", "a / skipped", "b", "b / asks", "b / skipped"}
    assert all(level == {"contents": "read", "packages": "read"} for level in levels.values())


def test_a_skipped_call_is_described_as_it_is_written() -> None:
    """It has its name, what it uses, no inputs, and the jobs it would call."""
    text = (
        f"on: push\njobs: {{a: {{name: 'On ${{{{ github.ref }}}}', if: false, uses: ./{CALLED}}}}}"
    )
    job = jobs_of(plan(text, called={CALLED: INNER}))["a"]

    assert (job.name, job.uses) == ("On ${{ github.ref }}", f"./{CALLED}")
    assert job.legs[0].inputs == {}
    assert [(inner.name, inner.decision.reason) for inner in job.legs[0].jobs] == [
        ("On ${{ github.ref }} / On ${{ inputs.level }}", "its job does not run"),
        ("On ${{ github.ref }} / strict", "its job does not run"),
        ("On ${{ github.ref }} / skipped", "its job does not run"),
    ]


def test_a_job_that_was_asked_for_runs_all_it_calls() -> None:
    """The jobs of a called workflow are not those that were chosen from."""
    found = plan(CALLS, called={CALLED: INNER}, selection=Selection("OUTER"))

    assert found.diagnostics == ()
    assert verdicts_of(found) == {
        "outer": "RUN",
        "outer / silent": "RUN",
        "outer / strict": "RUN",
        "outer / skipped": "SKIP",
    }


def test_keys_of_legs_are_looked_for_in_every_job() -> None:
    """A matrix that has the key may be that of any job, also of one that is called."""
    inner = "on: workflow_call\njobs: {m: {strategy: {matrix: {b: [1]}}, " + REST + "}"
    text = f"on: push\njobs: {{a: {{uses: ./{CALLED}}}, c: {{{REST}, d: {{uses: ./{CALLED}}}}}"

    selection = Selection(legs={"b": "1"})
    assert plan(text, called={CALLED: inner}, selection=selection).diagnostics == ()

    own = "{strategy: {matrix: {b: [1]}}, " + REST
    text = f"on: push\njobs: {{a: {own}, c: {{uses: ./{CALLED}}}}}"
    inner = f"on: workflow_call\njobs: {{m: {{{REST}}}"
    assert plan(text, called={CALLED: inner}, selection=selection).diagnostics == ()
