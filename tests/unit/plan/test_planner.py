"""The plan as a whole: verdicts of workflows, jobs, legs and steps, with reasons."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.plan.planning import REPOSITORY, happen, jobs_of, plan, read, verdicts_of

from windlass.lang.diagnostics import Severity
from windlass.lang.expressions import UNKNOWN
from windlass.plan.planner import Knowledge, make_plan
from windlass.plan.selection import Selection
from windlass.plan.synthesis import EventWishes

PIPELINE = """
on: {push: {branches: [main, develop]}}
jobs:
  quality: {runs-on: ubuntu-latest, steps: [{run: make lint}]}
  test: {needs: quality, runs-on: ubuntu-latest, steps: [{run: make test}]}
  security: {needs: quality, runs-on: ubuntu-latest, steps: [{run: make scan}]}
  build: {needs: [test, security], runs-on: ubuntu-latest, steps: [{run: make image}]}
  deploy-staging:
    needs: build
    if: github.ref == 'refs/heads/develop'
    runs-on: ubuntu-latest
    environment: staging
    steps: [{run: make deploy}]
  deploy-production:
    needs: build
    if: github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    environment: {name: production, url: 'https://example.com'}
    steps: [{run: make deploy}]
  rollback:
    needs: deploy-production
    if: failure()
    runs-on: ubuntu-latest
    steps: [{run: make rollback}]
"""


@pytest.mark.requirement("A08")
@pytest.mark.requirement("A09")
@pytest.mark.requirement("A16")
@pytest.mark.parametrize(
    ("branch", "staging", "production"),
    [("develop", "RUN", "SKIP"), ("main", "SKIP", "RUN")],
)
def test_a_pipeline_deploys_each_branch_to_its_environment(
    branch: str, staging: str, production: str
) -> None:
    """develop goes to staging, main to production.

    The rollback waits for a failure of any of its ancestors, which may happen on both.
    """
    found = plan(PIPELINE, happen("push", branch=branch))

    assert verdicts_of(found) == {
        "quality": "RUN",
        "test": "RUN",
        "security": "RUN",
        "build": "RUN",
        "deploy-staging": staging,
        "deploy-production": production,
        "rollback": "UNKNOWN",
    }


@pytest.mark.requirement("A16")
def test_environments_are_in_the_plan() -> None:
    """A leg names the environment it deploys to."""
    jobs = jobs_of(plan(PIPELINE, happen("push", branch="main")))

    assert jobs["deploy-production"].legs[0].environment == "production"
    assert jobs["build"].legs[0].environment is None


def test_a_workflow_that_does_not_start_keeps_its_jobs() -> None:
    """All jobs and steps of a skipped workflow are there, skipped with it."""
    found = plan(PIPELINE, happen("push", branch="other"))
    (workflow,) = found.workflows

    assert workflow.decision.verdict.value == "SKIP"
    assert set(verdicts_of(found).values()) == {"SKIP"}
    assert {job.decision.reason for job in found.jobs()} == {"its workflow does not run"}
    assert [step.decision.verdict.value for job in found.jobs() for step in job.legs[0].steps] == [
        "SKIP"
    ] * 7


@pytest.mark.requirement("A28")
def test_a_gate_that_always_runs_is_planned_to_run() -> None:
    """An "all checks passed" job runs whatever its needs do; what it finds is not known yet."""
    found = plan(
        """
        on: pull_request
        jobs:
          lint: {runs-on: x, steps: [{run: 'true'}]}
          docs: {if: github.event_name == 'push', runs-on: x, steps: [{run: 'true'}]}
          all-checks-passed:
            needs: [lint, docs]
            if: always()
            runs-on: x
            steps:
              - {if: "contains(needs.*.result, 'failure')", run: exit 1}
              - {if: needs.docs.result == 'skipped', run: echo no docs}
        """,
        "pull_request",
    )
    gate = jobs_of(found)["all-checks-passed"]

    assert verdicts_of(found) == {"lint": "RUN", "docs": "SKIP", "all-checks-passed": "RUN"}
    assert [step.decision.verdict.value for step in gate.legs[0].steps] == ["UNKNOWN", "RUN"]


def test_needs_look_at_all_ancestors() -> None:
    """A job after one that is skipped is skipped, however far up, and says which."""
    found = plan(
        """
        on: push
        jobs:
          a: {if: false, runs-on: x, steps: [{run: 'true'}]}
          b: {needs: a, if: always(), runs-on: x, steps: [{run: 'true'}]}
          c: {needs: b, runs-on: x, steps: [{run: 'true'}]}
        """
    )

    assert verdicts_of(found) == {"a": "SKIP", "b": "RUN", "c": "SKIP"}
    assert jobs_of(found)["c"].decision.reason == "job 'a' is skipped"


def test_bug_needs_are_a_graph_not_stages() -> None:
    """The order of the file does not matter: a job may need one that is written below it."""
    found = plan(
        """
        on: push
        jobs:
          last: {needs: Middle, runs-on: x, steps: [{run: 'true'}]}
          middle: {needs: first, runs-on: x, steps: [{run: 'true'}]}
          first: {runs-on: x, steps: [{run: 'true'}]}
        """
    )

    assert list(verdicts_of(found)) == ["last", "middle", "first"]
    assert jobs_of(found)["last"].decision.reason == "once middle succeeded"


MATRIX = """
on: push
jobs:
  list:
    runs-on: x
    outputs: {versions: '${{ steps.v.outputs.v }}'}
    steps: [{id: v, run: 'true'}]
  static:
    strategy:
      fail-fast: false
      max-parallel: 2
      matrix:
        component: [api, mcp]
        arch: [amd64, arm64]
        exclude: [{component: mcp, arch: arm64}]
    runs-on: ${{ matrix.arch == 'arm64' && 'arm' || 'x64' }}
    name: Build ${{ matrix.component }} on ${{ matrix.arch }}
    steps:
      - run: 'true'
      - {if: matrix.arch == 'arm64', run: qemu}
  dynamic:
    needs: list
    strategy: {matrix: {version: '${{ fromJSON(needs.list.outputs.versions) }}'}}
    runs-on: x
    steps: [{if: matrix.version == 3, run: 'true'}]
"""


@pytest.mark.requirement("A10")
def test_matrices_are_in_definition_order() -> None:
    """A static matrix has its legs, each with its name, labels and steps."""
    job = jobs_of(plan(MATRIX))["static"]

    assert [leg.key for leg in job.legs] == [
        "static (api, amd64)",
        "static (api, arm64)",
        "static (mcp, amd64)",
    ]
    assert [leg.name for leg in job.legs] == [
        "Build api on amd64",
        "Build api on arm64",
        "Build mcp on amd64",
    ]
    assert [leg.runs_on for leg in job.legs] == [["x64"], ["arm"], ["x64"]]
    assert [leg.steps[1].decision.verdict.value for leg in job.legs] == ["SKIP", "RUN", "SKIP"]
    assert (job.fail_fast, job.max_parallel) == (False, 2)


@pytest.mark.requirement("A10")
def test_a_dynamic_matrix_is_unknown() -> None:
    """Legs that a needed job will name are UNKNOWN until it has run, and so are their steps."""
    found = plan(MATRIX)
    job = jobs_of(found)["dynamic"]

    assert job.has_known_legs is False
    assert [leg.matrix for leg in job.legs] == [UNKNOWN]
    assert job.legs[0].steps[0].decision.reason == "it depends on matrix.version"
    assert found.to_json()["workflows"][0]["jobs"][2]["matrix"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("count", "codes"),
    [(256, []), (257, ["invalid-strategy"])],
    ids=["as-many-as-allowed", "one-more"],
)
def test_a_matrix_of_257_is_a_diagnostic(count: int, codes: list[str]) -> None:
    """More legs than GitHub allows is a mistake of the workflow, said before anything runs."""
    values = ", ".join(map(str, range(count)))
    found = plan(
        f"on: push\njobs: {{a: {{strategy: {{matrix: {{n: [{values}]}}}}, runs-on: x, "
        "steps: [{run: 'true'}]}}"
    )

    assert [finding.code for finding in found.diagnostics] == codes


CALLED = {
    ".github/workflows/gate.yml": """
    on:
      workflow_call:
        inputs:
          target: {type: string, required: true}
          strict: {type: boolean, default: true}
    permissions: {contents: write}
    jobs:
      check:
        runs-on: x
        permissions: {contents: read}
        steps: [{run: 'true'}, {if: inputs.strict, run: 'true'}]
      deploy:
        needs: check
        if: inputs.target == 'production'
        runs-on: x
        steps: [{run: 'true'}]
      inner:
        uses: ./.github/workflows/leaf.yml
    """,
    ".github/workflows/leaf.yml": """
    on: workflow_call
    jobs: {leaf: {runs-on: x, steps: [{run: 'true'}]}}
    """,
}


@pytest.mark.requirement("A07")
def test_called_workflows_are_in_the_plan() -> None:
    """A call is planned with the jobs of the called workflow, under the caller's key."""
    found = plan(
        """
        on: push
        permissions: write-all
        jobs:
          gates:
            strategy: {matrix: {target: [staging, production]}}
            uses: ./.github/workflows/gate.yml
            with: {target: '${{ matrix.target }}', strict: false}
          never:
            if: false
            uses: ./.github/workflows/gate.yml
            with: {target: x}
        """,
        called=CALLED,
    )

    assert verdicts_of(found) == {
        "gates": "RUN",
        "gates (staging) / check": "RUN",
        "gates (staging) / deploy": "SKIP",
        "gates (staging) / inner": "RUN",
        "gates (staging) / inner / leaf": "RUN",
        "gates (production) / check": "RUN",
        "gates (production) / deploy": "RUN",
        "gates (production) / inner": "RUN",
        "gates (production) / inner / leaf": "RUN",
        "never": "SKIP",
        "never / check": "SKIP",
        "never / deploy": "SKIP",
        "never / inner": "SKIP",
        "never / inner / leaf": "SKIP",
    }
    check = jobs_of(found)["gates (staging) / check"]
    assert [step.decision.verdict.value for step in check.legs[0].steps] == ["RUN", "SKIP"]
    assert jobs_of(found)["gates"].legs[0].inputs == {"target": "staging", "strict": False}


@pytest.mark.requirement("A26")
def test_called_workflows_have_no_more_permissions_than_their_caller() -> None:
    """The caller's permissions are the ceiling of everything below."""
    found = plan(
        """
        on: push
        jobs:
          gates:
            permissions: {contents: write, issues: write}
            uses: ./.github/workflows/gate.yml
            with: {target: production}
        """,
        called=CALLED,
    )
    jobs = jobs_of(found)

    assert jobs["gates / check"].permissions["contents"] == "read"
    assert jobs["gates / deploy"].permissions["contents"] == "write"
    assert jobs["gates / deploy"].permissions["issues"] == "none"


def test_what_may_not_run_makes_what_it_calls_unknown() -> None:
    """Within a job that is UNKNOWN nothing is surer, but what is skipped stays skipped."""
    found = plan(
        """
        on: push
        jobs:
          first: {runs-on: x, steps: [{run: 'true'}]}
          call:
            needs: first
            if: needs.first.outputs.x
            uses: ./.github/workflows/gate.yml
            with: {target: staging}
        """,
        called=CALLED,
    )

    assert verdicts_of(found)["call / check"] == "UNKNOWN"
    assert verdicts_of(found)["call / deploy"] == "SKIP"


def test_variables_that_one_expression_gives() -> None:
    """They are known as far as the expression is; one that is not known may set any variable."""
    found = plan(
        """
        on: push
        env: ${{ fromJSON('{"LEVEL":"high"}') }}
        jobs:
          known:
            runs-on: x
            steps: [{if: env.LEVEL == 'high' && env.UNSET == '', run: it}]
          open:
            needs: known
            runs-on: x
            env: ${{ fromJSON(needs.known.outputs.env) }}
            steps: [{if: env.LEVEL == 'high', run: it}]
        """
    )
    steps = {key: job.legs[0].steps[0] for key, job in jobs_of(found).items()}

    assert {key: step.decision.verdict.value for key, step in steps.items()} == {
        "known": "RUN",
        "open": "UNKNOWN",
    }


@pytest.mark.requirement("A27")
def test_steps_are_decided_with_what_is_known() -> None:
    """Variables that are declared are known; outputs, results and written variables are not."""
    found = plan(
        """
        on: push
        env: {LEVEL: high}
        jobs:
          a:
            runs-on: ubuntu-latest
            env: {COPY: '${{ github.ref_name }}', KEY: '${{ secrets.KEY }}'}
            steps:
              - {if: env.UNSET == '', run: first}
              - {if: env.LEVEL == 'high', run: second}
              - {if: env.OWN == 'yes', env: {OWN: 'yes'}, run: third}
              - {if: env.UNSET == '', run: fourth}
              - {if: env.KEY != '', run: fifth}
              - {if: false, id: six, run: sixth}
              - {if: steps.six.outcome == 'skipped', run: seventh}
              - {if: "always() && hashFiles('x') != ''", run: eighth}
              - {if: failure(), run: ninth}
              - {if: runner.os == 'Linux', run: tenth}
              - {if: runner.temp != '', run: eleventh}
              - {if: vars.SITE == 'a', run: twelfth}
        """,
        runner={"os": "Linux"},
        variables={"SITE": "a"},
    )
    steps = jobs_of(found)["a"].legs[0].steps

    assert {step.name: step.decision.verdict.value for step in steps} == {
        "Run first": "RUN",
        "Run second": "RUN",
        "Run third": "RUN",
        "Run fourth": "UNKNOWN",
        "Run fifth": "UNKNOWN",
        "Run sixth": "SKIP",
        "Run seventh": "RUN",
        "Run eighth": "UNKNOWN",
        "Run ninth": "UNKNOWN",
        "Run tenth": "RUN",
        "Run eleventh": "UNKNOWN",
        "Run twelfth": "RUN",
    }


def test_names_are_evaluated_as_far_as_they_can_be() -> None:
    """A name that depends on a result stays as it was written."""
    found = plan(
        """
        on: push
        run-name: Ship ${{ github.ref_name }}
        jobs:
          a:
            name: On ${{ github.ref_name }}
            runs-on: x
            steps:
              - {name: 'Say ${{ github.actor }}', id: x, run: 'true'}
              - {name: 'Then ${{ steps.x.outputs.y }}', run: 'true'}
              - {uses: actions/checkout@v4}
              - {run: "echo one\\necho two"}
        """
    )
    leg = jobs_of(found)["a"].legs[0]

    assert (found.workflows[0].run_name, leg.name) == ("Ship feature", "On feature")
    assert [step.name for step in leg.steps] == [
        "Say mona",
        "Then ${{ steps.x.outputs.y }}",
        "Run actions/checkout@v4",
        "Run echo one",
    ]


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ("{if: fromJSON(github.ref), runs-on: x, steps: [{run: a}]}", "The `if` condition"),
        (
            "{strategy: {matrix: {a: '${{ fromJSON(vars.n) }}'}}, runs-on: x, steps: [{run: a}]}",
            "Matrix vector 'a' does not contain any values",
        ),
        (
            "{runs-on: x, environment: '${{ fromJSON(github.ref) }}', steps: [{run: a}]}",
            "Error",
        ),
    ],
)
def test_a_job_that_cannot_be_evaluated_is_a_diagnostic(job: str, message: str) -> None:
    """A fault is never a skip: the job would run and fail, and the plan says so with the place."""
    found = plan(f"on: push\njobs:\n  a: {job}\n", variables={"n": "[]"})
    (finding,) = found.diagnostics

    assert message in finding.message or message == "Error"
    assert finding.span is not None
    assert verdicts_of(found)["a"] == "RUN"


def test_one_job_may_be_asked_for() -> None:
    """A job that was asked for comes with all it needs; the others are skipped and say so."""
    found = plan(PIPELINE, happen("push", branch="main"), selection=Selection("build"))

    assert [key for key, verdict in verdicts_of(found).items() if verdict == "RUN"] == [
        "quality",
        "test",
        "security",
        "build",
    ]
    reason = jobs_of(found)["rollback"].decision.reason
    assert reason == "it is not job 'build', nor needed by it"


def test_a_job_that_does_not_exist_is_a_diagnostic() -> None:
    """The jobs there are, are named."""
    found = plan(PIPELINE, happen("push", branch="main"), selection=Selection("biuld"))

    assert [finding.message for finding in found.diagnostics] == ["no workflow has a job 'biuld'"]


def test_legs_may_be_asked_for() -> None:
    """Only legs with the asked-for values are left; jobs without such a key are not affected."""
    selection = Selection(legs={"component": "api", "arch": "arm64"})
    jobs = jobs_of(plan(MATRIX, selection=selection))

    assert [leg.key for leg in jobs["static"].legs] == ["static (api, arm64)"]
    assert len(jobs["list"].legs) == 1


def test_legs_that_do_not_exist_are_a_diagnostic() -> None:
    """A job none of whose legs was asked for is a mistake of the call; the legs are named."""
    found = plan(MATRIX, selection=Selection(legs={"arch": "riscv"}))

    assert [finding.message for finding in found.diagnostics] == [
        (
            "No leg of the matrix has arch=riscv; there are: "
            "static (api, amd64), static (api, arm64), static (mcp, amd64)"
        )
    ]


def test_dispatch_inputs_decide() -> None:
    """Typed inputs are what conditions see."""
    text = """
    on: {workflow_dispatch: {inputs: {rebuild: {type: boolean}}}}
    jobs:
      build: {if: inputs.rebuild, runs-on: x, steps: [{run: 'true'}]}
      text: {if: "github.event.inputs.rebuild == 'true'", runs-on: x, steps: [{run: 'true'}]}
    """
    for given, verdict in (("true", "RUN"), ("false", "SKIP")):
        event = happen("workflow_dispatch", EventWishes(inputs={"rebuild": given}))
        assert verdicts_of(plan(text, event)) == {"build": verdict, "text": verdict}


def test_workflows_keep_their_order() -> None:
    """Every workflow is in the plan, in the order given, started or not."""
    job = "jobs: {a: {runs-on: x, steps: [{run: 'true'}]}}"
    workflows = [read(f"on: {on}\n{job}", path=f"{on}.yml") for on in ("push", "issues", "push")]
    found = make_plan(workflows, happen("push"), Knowledge(repository=REPOSITORY))

    assert [workflow.decision.verdict.value for workflow in found.workflows] == [
        "RUN",
        "SKIP",
        "RUN",
    ]


def change(**changes: Any) -> str:
    wishes = EventWishes(payload=changes.pop("payload", {}))
    event = happen("push", wishes, **changes.pop("facts", {}))
    return plan(changes.pop("text", MATRIX), event, **changes).hash()


def test_the_hash_is_that_of_everything_known() -> None:
    """Equal input gives an equal hash; another commit, file, payload or variable another one."""
    hashes = [
        change(),
        change(facts={"head_sha": "3" * 40}),
        change(digests={".github/workflows/ci.yml": "0"}),
        change(payload={"forced": True}),
        change(variables={"a": "b"}),
        change(facts={"changed_files": ("other",)}),
        change(text=MATRIX.replace("amd64", "x86")),
        change(selection=Selection("list")),
    ]

    assert change() == hashes[0]
    assert len(set(hashes)) == len(hashes)
    assert len(hashes[0]) == 64


def test_the_plan_is_json() -> None:
    """`to_json` is plain data, whole numbers without a fraction."""
    found = plan(MATRIX).to_json()

    assert json.loads(json.dumps(found)) == found
    assert found["event"]["name"] == "push"
    assert found["workflows"][0]["jobs"][1]["matrix"][0] == {"component": "api", "arch": "amd64"}


def test_a_long_chain_of_jobs() -> None:
    """Jobs that need one another in a row, written backwards, are planned without recursion."""
    lines = ["  j0: {runs-on: x, steps: [{run: 'true'}]}"]
    lines += [
        f"  j{n}: {{needs: j{n - 1}, runs-on: x, steps: [{{run: a}}]}}" for n in range(1, 300)
    ]
    found = plan("on: push\njobs:\n" + "\n".join(reversed(lines)))

    assert set(verdicts_of(found).values()) == {"RUN"}


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            (
                "on: {push: {paths: [a], paths-ignore: [b]}}\n"
                "jobs: {a: {runs-on: x, steps: [{run: y}]}}"
            ),
            "filter-pair",
            "you may only define one of `paths` and `paths-ignore` for a single event",
        ),
        (
            "on: push\njobs: {a: {runs-on: x}}",
            "no-steps",
            (
                "No steps defined in `steps` and no workflow called in `uses` for the following "
                "jobs: a"
            ),
        ),
        (
            "on: push\njobs: {a: {runs-on: x, steps: []}}",
            "no-steps",
            (
                "No steps defined in `steps` and no workflow called in `uses` for the following "
                "jobs: a"
            ),
        ),
    ],
)
def test_what_only_the_server_refuses(text: str, code: str, message: str) -> None:
    """GitHub starts nothing of such a workflow, though it can be read."""
    (found,) = plan(text, happen("push", changed_files=("a",))).diagnostics

    assert (found.code, found.message) == (code, message)
    assert found.severity is Severity.ERROR
