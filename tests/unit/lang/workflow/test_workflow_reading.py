"""A workflow file becomes a typed workflow; expectations are those of GitHub's package."""

from __future__ import annotations

import pytest

from windlass.lang.diagnostics import Severity
from windlass.lang.tokens import ExpressionToken, MappingToken, NumberToken, StringToken
from windlass.lang.workflow import read_workflow
from windlass.lang.workflow.model import (
    ActionStep,
    AnyJob,
    CallJob,
    CancelStep,
    Job,
    ParallelStep,
    RunStep,
    Step,
    WaitAllStep,
    WaitStep,
    Workflow,
)

HEAD = "on: push\njobs:\n  a:\n    runs-on: x\n"
STEPS = HEAD + "    steps:\n"


def workflow(text: str) -> Workflow:
    reading = read_workflow("w.yml", text.encode())
    assert reading.diagnostics == ()
    assert reading.workflow is not None
    return reading.workflow


def job(text: str) -> AnyJob:
    return workflow(text).jobs[0]


def steps(text: str) -> tuple[Step, ...]:
    found = job(STEPS + text)
    assert isinstance(found, Job)
    return found.steps


def errors(text: str) -> list[str]:
    found = read_workflow("w.yml", text.encode()).diagnostics
    return [f"{one.span.start} {one.message}" for one in found if one.span]


def test_jobs_keep_the_order_of_the_file() -> None:
    """The order in which jobs are written decides how they are shown."""
    text = "on: push\njobs:\n  b: {runs-on: x}\n  a: {runs-on: x}\n  c: {uses: ./x.yml}\n"
    assert [(one.id, type(one)) for one in workflow(text).jobs] == [
        ("b", Job),
        ("a", Job),
        ("c", CallJob),
    ]


@pytest.mark.parametrize(
    ("written", "expression"),
    [
        ("", "success()"),
        ("    if: ''\n", "success()"),
        ("    if: github.ref == 'x'\n", "success() && (github.ref == 'x')"),
        ("    if: ${{ github.ref == 'x' }}\n", "success() && (github.ref == 'x')"),
        ("    if: always()\n", "always()"),
        ("    if: ${{ !cancelled() }}\n", "!cancelled()"),
        ("    if: '!failure()'\n", "!failure()"),
        ("    if: SUCCESS() && true\n", "SUCCESS() && true"),
        ("    if: contains('success()', 'x')\n", "success() && (contains('success()', 'x'))"),
        ("    if: needs.a.result == 'failure'\n", "success() && (needs.a.result == 'failure')"),
        ("    if: a ${{ github.ref }}\n", "success() && (format('a {0}', github.ref))"),
        ("    if: true\n", "success() && (true)"),
        ("    if: |\n      github.ref == 'x'\n", "success() && (github.ref == 'x')"),
        ("    if: success('a', 'b')\n", "success('a', 'b')"),
    ],
)
def test_condition_of_a_job(written: str, expression: str) -> None:
    """A condition without a status function holds only if nothing failed before."""
    assert job(HEAD + written).condition.expression == expression


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("secrets.x", "Unrecognized named-value: 'secrets'"),
        ("env.x == 1", "Unrecognized named-value: 'env'"),
        ("always(1)", "Too many parameters supplied: 'always'"),
        ("github.ref ==", "Unexpected end of expression: '=='"),
    ],
)
def test_wrong_condition_of_a_job(condition: str, message: str) -> None:
    """A condition is checked against what a job's condition may use."""
    assert errors(HEAD + f"    if: {condition}\n") == [f"5:9 {message}"]


def test_condition_of_a_step_knows_more_contexts() -> None:
    """A step's condition may use steps, env, runner and hashFiles, but no secrets."""
    (step,) = steps(
        "      - run: x\n        if: steps.a.outcome == env.B && hashFiles('x') != ''\n"
    )
    assert step.condition.expression == (
        "success() && (steps.a.outcome == env.B && hashFiles('x') != '')"
    )
    assert step.condition.source == "steps.a.outcome == env.B && hashFiles('x') != ''"
    assert str(step.condition.span) == "w.yml:7:13"
    assert errors(STEPS + "      - run: x\n        if: secrets.x\n") == [
        "7:13 Unrecognized named-value: 'secrets'"
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["run: x", "run: y"], ["__run", "__run_2"]),
        (
            ["uses: actions/checkout@v4", "uses: actions/checkout@v3"],
            ["__actions_checkout", "__actions_checkout_2"],
        ),
        (["uses: a/b/c/d@main"], ["__a_b"]),
        (["uses: ./local", "uses: $/same"], ["__self", "__self_2"]),
        (["uses: docker://alpine:3.8"], ["__alpine_3_8"]),
        (["id: x\n        run: y", "run: z"], ["x", "__run"]),
    ],
)
def test_steps_without_an_id_get_one(written: list[str], expected: list[str]) -> None:
    """Generated ids start with two underscores, which users may not write."""
    found = steps("".join(f"      - {one}\n" for one in written))
    assert [one.id for one in found] == expected
    assert [one.id_given for one in found] == [not one.startswith("__") for one in expected]


def test_too_many_steps_of_one_name() -> None:
    """A thousandth generated id of one name is an error, as at GitHub."""
    assert len(steps("      - run: x\n" * 999)) == 999
    found = errors(STEPS + "      - run: x\n" * 1000)
    assert found[0] == "1005:9 Unable to create a unique name"


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        (
            "9x",
            (
                "The identifier '9x' is invalid. IDs may only contain alphanumeric "
                "characters, '_', "
                "and '-'. IDs must start with a letter or '_' and and must be less than 100 "
                "characters."
            ),
        ),
        ("__x", "The identifier '__x' is invalid. IDs starting with '__' are reserved."),
        ("taken", "The identifier 'taken' may not be used more than once within the same scope."),
        ("TAKEN", "The identifier 'TAKEN' may not be used more than once within the same scope."),
    ],
)
def test_wrong_id_of_a_step(identifier: str, message: str) -> None:
    """An id is a name, is not reserved and, whatever its case, occurs once."""
    text = STEPS + f"      - run: x\n        id: taken\n      - run: y\n        id: {identifier}\n"
    assert errors(text) == [f"9:13 {message}"]


def test_long_id_of_a_job() -> None:
    """An id has fewer than 100 characters."""
    assert errors(HEAD.replace("  a:", "  " + "a" * 99 + ":")) == []
    (message,) = errors(HEAD.replace("  a:", "  " + "a" * 100 + ":"))
    assert message.startswith("3:3 The identifier")


def test_kinds_of_steps() -> None:
    """Each kind of step has its own type and its own properties."""
    run, uses, background, wait, wait_all, cancel, parallel = steps(
        "      - run: x\n        shell: sh\n        working-directory: d\n"
        "        timeout-minutes: 5\n"
        "      - uses: a/b@c\n        with: {k: v}\n"
        "      - run: y\n        id: bg\n        background: true\n"
        "      - wait: bg\n"
        "      - wait-all:\n"
        "      - cancel: bg\n"
        "      - parallel:\n          - run: p\n            if: runner.os\n          - uses: ./q\n"
    )
    assert isinstance(run, RunStep)
    assert isinstance(run.shell, StringToken)
    assert isinstance(run.working_directory, StringToken)
    assert (run.shell.value, run.working_directory.value) == ("sh", "d")
    assert isinstance(run.timeout_minutes, NumberToken)
    assert isinstance(uses, ActionStep)
    assert isinstance(run.run, StringToken)
    assert run.run.value == "x"
    assert uses.uses.value == "a/b@c"
    assert isinstance(uses.inputs, MappingToken)
    assert isinstance(uses.inputs.find("k"), StringToken)
    assert background.background
    assert isinstance(wait, WaitStep)
    assert [one.value for one in wait.targets] == ["bg"]
    assert isinstance(wait_all, WaitAllStep)
    assert isinstance(cancel, CancelStep)
    assert cancel.target.value == "bg"
    assert isinstance(parallel, ParallelStep)
    assert [one.id for one in parallel.steps] == ["__run", "__self"]
    assert parallel.steps[0].condition.expression == "success() && (runner.os)"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("wait: gone", "6:15 Step references unknown step ID 'gone'"),
        (
            "wait: [__x]",
            "6:16 The identifier '__x' is invalid. IDs starting with '__' are reserved.",
        ),
        ("{id: me, wait: me}", "6:24 Step 'me' cannot reference itself"),
        ("{id: me, wait: gone}", "6:24 Step references unknown step ID 'gone'"),
        ("cancel: gone", "6:17 Step references unknown step ID 'gone'"),
        ("wait-all: false", "6:19 The value of 'wait-all' must be true or omitted"),
        (
            "parallel: [{run: x, background: true}]",
            (
                "6:9 'background' is not allowed inside a parallel block. Steps in a "
                "parallel block are "
                "automatically run as background steps."
            ),
        ),
        ("parallel: [{wait-all: }]", "6:9 'wait-all' is not allowed inside a parallel block."),
        ("parallel: [{parallel: []}]", "6:9 Nested 'parallel' blocks are not allowed."),
        (
            "parallel: [{id: __x, run: x}]",
            "6:25 The identifier '__x' is invalid. IDs starting with '__' are reserved.",
        ),
        ("uses: broken", "6:15 Expected format {org}/{repo}[/path]@ref. Actual 'broken'"),
        ("uses: a@b", "6:15 Expected format {org}/{repo}[/path]@ref. Actual 'a@b'"),
        ("uses: a/b@c@d", "6:15 Expected format {org}/{repo}[/path]@ref. Actual 'a/b@c@d'"),
    ],
)
def test_wrong_step(step: str, message: str) -> None:
    """Steps that steer others name earlier steps; actions are named in one of four ways."""
    assert errors(STEPS + f"      - {step}\n") == [message]


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        pytest.param({"a": [], "b": ["a"]}, [], id="right"),
        pytest.param({"a": [], "b": ["A"]}, [], id="the case of an id does not matter"),
        pytest.param({"a": [], "b": ["a"], "c": ["b"], "d": ["c", "a"]}, [], id="chain"),
        pytest.param(
            {"a": ["b"], "b": ["a"]},
            ["3:3 The workflow must contain at least one job with no dependencies."],
            id="no start",
        ),
        pytest.param(
            {"a": [], "b": ["gone"]},
            ["4:27 Job 'b' depends on unknown job 'gone'."],
            id="unknown",
        ),
        pytest.param(
            {"SS": [], "b": ["ß"]},
            ["4:27 Job 'b' depends on unknown job 'ß'."],
            id="ids are compared character by character",
        ),
        pytest.param(
            {"a": [], "b": ["c"], "c": ["b"]},
            [
                "4:27 Job 'b' depends on job 'c' which creates a cycle in the dependency graph.",
                "5:27 Job 'c' depends on job 'b' which creates a cycle in the dependency graph.",
            ],
            id="cycle",
        ),
        pytest.param(
            {"a": [], "b": ["b"]},
            ["4:27 Job 'b' depends on job 'b' which creates a cycle in the dependency graph."],
            id="itself",
        ),
    ],
)
def test_needs(needs: dict[str, list[str]], expected: list[str]) -> None:
    """Every job can start at some time."""
    lines = [f"  {name}: {{runs-on: x, needs: {names}}}\n" for name, names in needs.items()]
    assert errors("on: push\njobs:\n" + "".join(lines).replace("'", "")) == expected


def test_triggers() -> None:
    """`on` gives events with their filters, schedules and inputs, in the order of the file."""
    triggers = workflow(
        "on:\n"
        "  push:\n    branches: [main, '!x/**']\n    paths-ignore: docs/**\n"
        "  pull_request:\n    types: [opened]\n"
        "  schedule:\n    - cron: '0 5 * * 1-5'\n      timezone: Europe/Rome\n"
        "  workflow_dispatch:\n    inputs:\n      level:\n        type: choice\n"
        "        options: [a, b]\n        default: a\n"
        "  workflow_call:\n    inputs:\n      n: {type: number, required: true}\n"
        "    secrets: {token: {required: true}, other: }\n"
        "    outputs: {x: {value: '${{ jobs.a.outputs.x }}'}}\n"
        "jobs: {a: {runs-on: x}}\n"
    ).triggers
    push = triggers.events["push"]
    assert str(triggers.span) == "w.yml:2:3"
    assert list(triggers.events) == [
        *("push", "pull_request", "schedule", "workflow_dispatch", "workflow_call")
    ]
    assert push.branches is not None
    assert [one.text for one in push.branches] == ["main", "!x/**"]
    assert push.paths_ignore is not None
    assert push.paths_ignore[0].text == "docs/**"
    assert push.tags is None
    assert [(one.cron, one.timezone) for one in triggers.schedules] == [
        ("0 5 * * 1-5", "Europe/Rome")
    ]
    assert str(triggers.schedules[0].span) == "w.yml:8:7"
    assert (push.name, str(push.span)) == ("push", "w.yml:2:3")
    assert [str(one.span) for one in (*push.branches, *push.paths_ignore)] == [
        *("w.yml:3:16", "w.yml:3:22", "w.yml:4:19")
    ]
    level = triggers.dispatch_inputs["level"]
    assert (level.name, level.options, str(level.span)) == ("level", ("a", "b"), "w.yml:12:7")
    assert triggers.call_inputs["n"].required
    assert triggers.call_secrets["token"].required
    assert not triggers.call_secrets["other"].required
    assert list(triggers.call_outputs) == ["x"]


@pytest.mark.parametrize("on", ["push", "[push]", "{push: }", "{push: {}}"])
def test_forms_of_on(on: str) -> None:
    """An event can be named in four ways."""
    found = workflow(f"on: {on}\njobs: {{a: {{runs-on: x}}}}\n").triggers.events
    assert list(found) == ["push"]
    assert found["push"].name == "push"
    assert str(found["push"].span) == f"w.yml:1:{5 + (not on.startswith('p'))}"


@pytest.mark.parametrize(
    ("definition", "message", "severity"),
    [
        ("{type: choice}", "Missing 'options' for choice input", Severity.ERROR),
        ("{options: [a]}", "Input type is not 'choice', but 'options' is defined", Severity.ERROR),
        (
            "{type: boolean, default: 'true'}",
            (
                "Unexpected type 'StringToken' encountered while reading 'input default'. The type "
                "'BooleanToken' was expected."
            ),
            Severity.WARNING,
        ),
        (
            "{default: 5}",
            (
                "Unexpected type 'NumberToken' encountered while reading 'input default'. The type "
                "'StringToken' was expected."
            ),
            Severity.WARNING,
        ),
        ("~", "Unexpected value ''", Severity.WARNING),
    ],
)
def test_wrong_input(definition: str, message: str, severity: Severity) -> None:
    """What GitHub's editor refuses and its server accepts is a warning."""
    text = (
        f"on: {{workflow_dispatch: {{inputs: {{x: {definition}}}}}}}\njobs: {{a: {{runs-on: x}}}}\n"
    )
    reading = read_workflow("w.yml", text.encode())
    assert [(one.message, one.severity) for one in reading.diagnostics] == [(message, severity)]
    assert (reading.workflow is None) is (severity is Severity.ERROR)


@pytest.mark.parametrize(
    ("job_text", "place"),
    [
        ("    env: ${{ fromJSON(vars.x) }}\n", "job env"),
        ("    services: ${{ fromJSON(vars.x) }}\n", "services"),
        ("    steps: [{run: x, env: '${{ fromJSON(vars.x) }}'}]\n", "step env"),
    ],
)
def test_expression_in_place_of_a_mapping(job_text: str, place: str) -> None:
    """The server evaluates such an expression later, so the workflow can be used."""
    reading = read_workflow("w.yml", (HEAD + job_text).encode())
    assert reading.workflow is not None
    assert [(one.message, one.severity) for one in reading.diagnostics] == [
        (
            (
                f"Unexpected type 'BasicExpressionToken' encountered while reading '{place}'. "
                "The type 'MappingToken' was expected."
            ),
            Severity.WARNING,
        )
    ]


def test_expression_where_the_editor_takes_one_too() -> None:
    """`env` of the workflow, `defaults.run` and `with` may be one expression for both."""
    expression = "${{ fromJSON(vars.x) }}"
    text = (
        f"on: push\nenv: {expression}\njobs:\n  a:\n    runs-on: x\n"
        f"    defaults: {{run: '{expression}'}}\n"
        f"    steps: [{{uses: a/b@c, with: '{expression}'}}]\n"
    )
    found = workflow(text)
    assert isinstance(found.env, ExpressionToken)
    (only,) = found.jobs
    assert isinstance(only, Job)
    assert only.defaults is not None
    assert isinstance(only.defaults.computed, ExpressionToken)
    (step,) = only.steps
    assert isinstance(step, ActionStep)
    assert isinstance(step.inputs, ExpressionToken)


@pytest.mark.parametrize(
    ("job_text", "message"),
    [
        ("    container: {env: {}}\n", "5:16 Container image cannot be empty"),
        ("    container: docker://\n", "5:16 Container image cannot be empty"),
        ("    services: {s: {image: 'docker://'}}\n", "5:19 Container image cannot be empty"),
        (
            "    runs-on: {group: a/b}\n",
            (
                "4:22 Invalid runs-on group name 'a/b. Please use 'organization/' or 'enterprise/' "
                "prefix to target a single runner group.'"
            ),
        ),
        ("    runs-on: {group: org/}\n", "4:22 Invalid runs-on group name 'org/'."),
        (
            "    runs-on: {group: org/a/b}\n",
            (
                "4:22 Invalid runs-on group name 'org/a/b. Please use 'organization/' or "
                "'enterprise/' prefix to target a single runner group.'"
            ),
        ),
        (
            f"    concurrency: {'x' * 401}\n",
            "5:18 Concurrency group name must be less than 400 characters",
        ),
        (
            "    env: ${{ fromJSON(vars.x) }}\n",
            (
                "5:10 Unexpected type 'BasicExpressionToken' encountered while reading 'job "
                "env'. The "
                "type 'MappingToken' was expected."
            ),
        ),
        (
            "    strategy: {matrix: {os: []}}\n",
            "5:29 Matrix vector 'os' does not contain any values",
        ),
        ("    strategy: {matrix: {exclude: []}}\n", "5:24 Matrix must define at least one vector"),
        (
            "    strategy: {matrix: {include: [{}]}}\n",
            "5:35 Matrix include mapping does not contain any values",
        ),
        (
            "    snapshot: {image-name: x, version: '1'}\n",
            "5:15 Expected format '{major-version}.*' Actual '1'",
        ),
    ],
)
def test_wrong_part_of_a_job(job_text: str, message: str) -> None:
    """Parts of a job are checked as far as they are known before the run."""
    head = HEAD.replace("    runs-on: x\n", "") if "runs-on" in job_text else HEAD
    assert errors(head + job_text) == [message]


@pytest.mark.parametrize(
    "job_text",
    [
        "    container: ''\n",
        "    container: ${{ vars.image }}\n",
        "    container: {image: docker://alpine, options: --cpus 1}\n",
        "    container: {ports: ['${{ vars.port }}']}\n",
        "    services: {s: {image: x, ports: [80], command: a, entrypoint: b}}\n",
        "    concurrency: {group: x, queue: max, cancel-in-progress: true}\n",
        "    concurrency: ${{ github.ref }}\n",
        f"    concurrency: {{group: {'x' * 400}}}\n",
        "    concurrency: {group: x, cancel-in-progress: '${{ github.ref == 1 }}'}\n",
        "    environment: {name: x, url: '${{ steps.x.outputs.url }}', deployment: false}\n",
        "    strategy: {matrix: '${{ fromJSON(vars.x) }}'}\n",
        "    strategy: {matrix: {include: '${{ fromJSON(vars.x) }}'}}\n",
        "    strategy: {matrix: {include: ['${{ fromJSON(vars.x) }}', {}]}}\n",
        "    strategy: {matrix: {os: [x], include: []}}\n",
        "    strategy: ${{ fromJSON(vars.x) }}\n",
        "    snapshot: {image-name: x, version: 1.*, if: 'success()'}\n",
        "    permissions: {contents: read, models: none, id-token: write}\n",
        "    cancel-timeout-minutes: 1\n",
        "    runs-on: {group: ent/a, labels: a/b}\n",
    ],
)
def test_right_part_of_a_job(job_text: str) -> None:
    """The newest keys and whatever is only known at run time are accepted."""
    head = HEAD.replace("    runs-on: x\n", "") if "runs-on" in job_text else HEAD
    assert errors(head + job_text) == []


def test_permissions() -> None:
    """A workflow and a job grant scopes or a level for all of them."""
    found = workflow("permissions: read-all\n" + HEAD + "    permissions: {contents: write}\n")
    assert found.permissions is not None
    assert found.permissions.all == "read"
    assert found.jobs[0].permissions is not None
    assert found.jobs[0].permissions.scopes == {"contents": "write"}
    assert str(found.jobs[0].permissions.span) == "w.yml:6:18"


def test_defaults_and_names() -> None:
    """What the workflow says about itself and all of its steps."""
    found = workflow(
        "name: n\ndescription: d\nrun-name: r ${{ github.ref }}\nenv: {A: b}\n"
        "concurrency: c\ndefaults: {run: {shell: sh, working-directory: w}}\n" + HEAD
    )
    assert (found.name, found.description) == ("n", "d")
    assert found.run_name is not None
    assert found.env is not None
    assert found.defaults is not None
    assert isinstance(found.defaults.shell, StringToken)
    assert isinstance(found.concurrency, StringToken)


def test_a_key_after_a_blank_that_is_none() -> None:
    """A no-break space looks like indentation and is part of the key: the hint names it."""
    reading = read_workflow("w.yml", (HEAD + "\u00a0\u00a0\u00a0\u00a0name: y\n").encode())
    hints = [found.hint for found in reading.diagnostics]
    assert "The key holds the character U+00A0; indent with plain spaces." in hints


def test_parts_of_definitions() -> None:
    """Descriptions, options and requirements of inputs, secrets and outputs are read."""
    found = workflow(
        """\
on:
  workflow_call:
    inputs:
      a: {description: an input, type: string, required: true, default: x}
    secrets:
      s: {description: a secret, required: true}
      t:
    outputs:
      o: {description: an output, value: '1'}
      p: {value: '2'}
  workflow_dispatch:
    inputs:
      c: {description: a choice, type: choice, options: [x, y]}
jobs: {a: {runs-on: x}}
"""
    ).triggers
    given = found.call_inputs["a"]
    assert (given.description, given.type, given.required) == ("an input", "string", True)
    secrets = {name: (one.description, one.required) for name, one in found.call_secrets.items()}
    assert secrets == {"s": ("a secret", True), "t": (None, False)}
    outputs = {name: one.description for name, one in found.call_outputs.items()}
    assert outputs == {"o": "an output", "p": None}
    values = [one.value for one in found.call_outputs.values()]
    assert [one.value for one in values if isinstance(one, StringToken)] == ["1", "2"]
    assert str(found.span) == "w.yml:2:3"
    places = {"a": 4, "s": 6, "t": 7, "o": 9, "p": 10}
    for definitions in (found.call_inputs, found.call_secrets, found.call_outputs):
        for name, one in definitions.items():
            assert (one.name, str(one.span)) == (name, f"w.yml:{places[name]}:7")
    choice = found.dispatch_inputs["c"]
    assert (choice.description, choice.options) == ("a choice", ("x", "y"))


def test_defaults_of_a_job() -> None:
    """The shell and the folder are two keys."""
    (job,) = workflow(
        HEAD + "    defaults: {run: {shell: sh, working-directory: w}}\n    concurrency: c\n"
    ).jobs
    assert isinstance(job, Job)
    assert job.defaults is not None
    assert isinstance(job.defaults.shell, StringToken)
    assert isinstance(job.defaults.working_directory, StringToken)
    assert (job.defaults.shell.value, job.defaults.working_directory.value) == ("sh", "w")
    assert isinstance(job.concurrency, StringToken)


@pytest.mark.parametrize("level", ["read-all", "write-all"])
def test_a_level_for_all_scopes_names_none(level: str) -> None:
    """`read-all` and `write-all` are levels, not scopes."""
    found = workflow(f"permissions: {level}\n" + HEAD).permissions
    assert found is not None
    assert (found.all, found.scopes) == (level.removesuffix("-all"), {})
    assert str(found.span) == "w.yml:1:14"


@pytest.mark.parametrize("image", ["docker://", "{image: 'docker://'}"])
def test_code_of_an_empty_image(image: str) -> None:
    """An image that only says where images come from is none."""
    reading = read_workflow("w.yml", (HEAD + f"    container: {image}\n").encode())
    assert [one.code for one in reading.diagnostics] == ["container-image"]


def test_code_of_a_step_that_waits_for_itself() -> None:
    """It has the code of every target that cannot be waited for."""
    text = STEPS + "      - {id: me, wait: me}\n"
    reading = read_workflow("w.yml", text.encode())
    assert [one.code for one in reading.diagnostics] == ["step-target"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "on: push\njobs: {a: {runs-on: x, needs: a}}\n", ["no-start-job"], id="no start"
        ),
        pytest.param(STEPS + "      - {id: me, wait: me}\n", ["step-target"], id="itself"),
        pytest.param(STEPS + "      - {wait: __me}\n", ["step-target"], id="reserved"),
        pytest.param(STEPS + "      - {wait: gone}\n", ["step-target"], id="unknown"),
        pytest.param(
            STEPS + "      - run: x\n" * 1000, ["unexpected-type", "no-start-job"], id="too many"
        ),
        pytest.param(
            STEPS + f"      - parallel: [{'{run: x}, ' * 1000}]\n",
            ["unexpected-type"],
            id="too many in parallel",
        ),
        pytest.param(
            f"concurrency: {{group: {'x' * 401}}}\n" + HEAD, ["concurrency-group"], id="group"
        ),
    ],
)
def test_code_of_a_mistake(text: str, expected: list[str]) -> None:
    """The codes are what a suppression names."""
    found = read_workflow("w.yml", text.encode()).diagnostics
    assert [one.code for one in found] == expected


def test_an_input_of_which_nothing_is_said() -> None:
    """It has its name and its place, and those after it are read."""
    text = "on:\n  workflow_dispatch:\n    inputs:\n      a:\n      b: {type: boolean}\n"
    reading = read_workflow("w.yml", (text + "jobs: {a: {runs-on: x}}\n").encode())
    assert reading.workflow is not None
    inputs = reading.workflow.triggers.dispatch_inputs
    assert {key: (one.name, one.type, str(one.span)) for key, one in inputs.items()} == {
        "a": ("a", "string", "w.yml:4:7"),
        "b": ("b", "boolean", "w.yml:5:7"),
    }


def test_an_id_to_wait_for_is_written_in_its_own_case() -> None:
    """Ids that differ in case alone are the same where they are given, not where they are named."""
    assert errors(STEPS + "      - {run: x, id: one}\n      - wait: ONE\n") == [
        "7:15 Step references unknown step ID 'ONE'"
    ]
