"""The plan down to its details: codes, groups, names and contexts of jobs and calls.

Expected values: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts and
https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
"""

from __future__ import annotations

import json

import pytest
from tests.unit.plan.planning import REPOSITORY, happen, jobs_of, plan, read, verdicts_of

from windlass.lang.expressions import UNKNOWN
from windlass.plan.decision import Verdict
from windlass.plan.planner import Knowledge, make_plan
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


def test_the_job_is_in_the_github_context() -> None:
    """`toJSON` shows it as GitHub spells it."""
    text = "on: push\njobs: {a: {name: '${{ toJSON(github) }}', " + REST + "}"
    (leg,) = jobs_of(plan(text))["a"].legs

    assert json.loads(leg.name)["job"] == "a"


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


@pytest.mark.parametrize("name", ["null", "''"])
def test_a_skipped_job_whose_name_is_nothing(name: str) -> None:
    """It is called by its id."""
    found = plan(f"on: push\njobs: {{a: {{name: {name}, if: false, {REST}}}")

    assert jobs_of(found)["a"].name == "a"


def test_a_job_whose_legs_are_not_known_has_one_that_stands_for_them() -> None:
    """It has the job's name, and everything about its matrix and strategy is unknown."""
    found = plan(
        """
        on: push
        jobs:
          a: {runs-on: x, steps: [{run: a}]}
          b:
            name: Build
            needs: a
            strategy: {matrix: {n: '${{ fromJSON(needs.a.outputs.n) }}'}}
            runs-on: ${{ matrix.n }}
            steps: [{if: strategy.job-total == 1, run: a}]
        """
    )
    (leg,) = jobs_of(found)["b"].legs

    assert (leg.key, leg.name, leg.runs_on) == ("b", "Build", UNKNOWN)
    assert leg.steps[0].decision.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("runs-on: [self-hosted, linux]", ["self-hosted", "linux"]),
        ("runs-on: '${{ github.ref_name }}'", ["feature"]),
        ("runs-on: {group: big, labels: a}", {"group": "big", "labels": "a"}),
        ("runs-on: '${{ needs.a.outputs.x }}'", UNKNOWN),
    ],
)
def test_labels(key: str, value: object) -> None:
    """One label is a list of one; a group stays a mapping."""
    text = f"on: push\njobs:\n  a: {{{REST}\n  b: {{needs: a, {key}, steps: [{{run: a}}]}}\n"

    assert jobs_of(plan(text))["b"].legs[0].runs_on == value


@pytest.mark.parametrize("name", ["needs.a.outputs.x", "fromJSON(github.ref)"])
def test_an_environment_that_is_not_known(name: str) -> None:
    """It is UNKNOWN where a result decides and where it cannot be evaluated, not absent."""
    text = (
        f"on: push\njobs:\n  a: {{{REST}\n  b: {{needs: a, environment: '${{{{ {name} }}}}', {REST}"
    )

    assert jobs_of(plan(text))["b"].legs[0].environment is UNKNOWN


def test_inputs_of_a_workflow_that_does_not_run_are_not_looked_at() -> None:
    """What another workflow requires is no mistake of the call."""
    texts = (
        f"on: {{workflow_dispatch: {{inputs: {{n: {{required: true}}}}}}}}\njobs: {{a: {{{REST}}}",
        f"on: workflow_dispatch\njobs: {{b: {{{REST}}}",
    )
    found = make_plan(
        [read(text) for text in texts],
        happen("workflow_dispatch"),
        Knowledge(repository=REPOSITORY),
        Selection("b"),
    )

    assert found.diagnostics == ()
    assert verdicts_of(found) == {"a": "SKIP", "b": "RUN"}


def test_wrong_inputs_leave_an_empty_context() -> None:
    """`inputs` is then a mapping without members, not null."""
    text = (
        "on: {workflow_dispatch: {inputs: {n: {type: number}}}}\n"
        f"jobs: {{a: {{name: '${{{{ toJSON(inputs) }}}}', {REST}}}"
    )
    found = plan(text, happen("workflow_dispatch", EventWishes(inputs={"n": "many"})))

    assert jobs_of(found)["a"].legs[0].name == "{}"


SKIPPED_RESULT = '{\n  "a": {\n    "result": "skipped",\n    "outputs": {}\n  }\n}'
SKIPPED_STEP = '{\n  "outputs": {},\n  "outcome": "skipped",\n  "conclusion": "skipped"\n}'


def test_results_of_what_is_skipped_are_spelt_as_github_has_them() -> None:
    """Lookups ignore case and so do comparisons, but `toJSON` shows the spelling.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/contexts
    """
    found = plan(
        f"""
        on: push
        jobs:
          a: {{if: false, {REST}
          b:
            needs: a
            if: always()
            name: ${{{{ toJSON(needs) }}}}
            runs-on: x
            steps:
              - {{id: s, if: false, run: a}}
              - {{if: "toJSON(steps.s) == ''", run: a}}
        """
    )
    leg = jobs_of(found)["b"].legs[0]

    assert leg.name == SKIPPED_RESULT
    assert dict(leg.steps[1].decision.values)["toJSON(steps.s)"] == SKIPPED_STEP


def test_a_leg_that_no_job_has_is_refused_with_its_place() -> None:
    """The finding of the plan shows the job, and so does the fault of the run."""
    workflow = read("on: push\njobs:\n  a: {strategy: {matrix: {m: [1]}}, " + REST)
    (job,) = workflow.jobs
    selection = Selection(legs={"m": "3"})
    (found,) = make_plan(
        [workflow], happen("push"), Knowledge(repository=REPOSITORY), selection
    ).diagnostics

    assert found.span is None, "the call is wrong, not the file"
    assert [(related.message, related.span) for related in found.related] == [
        ("the job is here", job.span)
    ]
    assert selection.refuse_legs(job, ()).span == job.span


@pytest.mark.parametrize(
    ("job", "codes", "hints"), [(None, [], []), ("a", ["unknown-job"], [None])]
)
def test_a_plan_of_no_workflow(job: str | None, codes: list[str], hints: list[None]) -> None:
    """It is empty; a job that was asked for is not there, and there is none to name."""
    found = make_plan([], happen("push"), Knowledge(repository=REPOSITORY), Selection(job))

    assert found.workflows == ()
    assert [finding.code for finding in found.diagnostics] == codes
    assert [finding.hint for finding in found.diagnostics] == hints


def test_numbers_that_json_does_not_have() -> None:
    """They are the words that GitHub writes for them: https://yaml.org/spec/1.2.2/#103-core-schema.

    Other numbers stay numbers.
    """
    text = "on: push\njobs: {a: {strategy: {matrix: {n: [2.0, 1.5, .nan, .inf, -.inf]}}, " + REST
    found = plan(text + "}").to_json()

    matrix = found["workflows"][0]["jobs"][0]["matrix"]
    assert [leg["n"] for leg in matrix] == [2, 1.5, "NaN", "Infinity", "-Infinity"]
    assert isinstance(matrix[0]["n"], int)


@pytest.mark.parametrize("files", [None, (), ("a", "b")])
def test_changed_files_in_json(files: tuple[str, ...] | None) -> None:
    """What nobody knows is null, not an empty list."""
    text = "on: push\njobs: {a: {" + REST + "}"
    event = happen("push", changed_files=files)

    expected = None if files is None else list(files)
    assert plan(text, event).to_json()["event"]["changed_files"] == expected
