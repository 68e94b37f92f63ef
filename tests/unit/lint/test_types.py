"""What type an expression has in its place, and what is said of what cannot be right.

Types are written as `text`, `'a'|'b'` (the only values; `!` where GitHub fixes them), `[item]`,
`[item]*` (what `.*` gives), `{member: type, …: type of all others}` and `?`.

https://docs.github.com/en/actions/reference/workflows-and-actions/contexts
"""

from __future__ import annotations

import pytest
from tests.unit.lint.subjects import HEAD, subject

from windlass.lang.lint.places import Place, parse_expression
from windlass.lang.lint.types import Inference
from windlass.lang.lint.types.contexts import Contexts
from windlass.lang.lint.types.kinds import (
    ANY,
    BOOLEAN,
    NUMBER,
    TEXT,
    Anything,
    ListOf,
    Record,
    Scalar,
    Text,
    Type,
    merge,
)

CALLED = """\
on: {workflow_call: {outputs: {Version: {value: x}}}}
jobs: {x: {runs-on: x}}
"""
FILES = {
    ".github/workflows/called.yml": CALLED,
    "composite/action.yaml": "outputs: {Out: {value: x}}\nruns: {using: composite, steps: []}\n",
    "script/action.yml": "outputs: {a: {}}\nruns: {using: node24, main: m.js}\n",
    "image/action.yml": "outputs: {a: {}}\nruns: {using: docker, image: Dockerfile}\n",
}
WORKFLOW = """\
on:
  workflow_dispatch:
    inputs:
      Level: {type: choice, options: [low, high]}
      flag: {type: boolean}
      count: {type: number}
      text:
      twice: {type: boolean}
  workflow_call:
    inputs: {twice: {type: number}, both: {type: string}}
jobs:
  Build:
    runs-on: x
    outputs: {Version: a}
  computed:
    runs-on: x
    outputs: {a: b}
  called: {uses: ./.github/workflows/called.yml}
  remote: {uses: o/r/w.yml@v1}
  gone: {uses: ./.github/workflows/gone.yml}
  test:
    runs-on: x
    needs: [build, CALLED, remote, gone]
    services: {Data: {image: x}}
    strategy:
      matrix:
        os: [linux, macos]
        number: [1, 2.5]
        flag: [true]
        nothing: [~]
        mixed: [1, a]
        list: [[a, b]]
        object: [{Name: a, size: 1}, {name: b}]
        computed: '${{ fromJSON(vars.x) }}'
        include: [{os: windows, extra: a}, {number: x, deep: {a: b}}]
    steps:
      - {id: First, run: a}
      - run: unnamed
      - {id: cache, uses: actions/cache@v4}
      - {id: composite, uses: ./composite}
      - {id: script, uses: $/script}
      - {id: image, uses: ./image}
      - {id: remote, uses: o/r@v1}
      - {id: last, run: a}
"""
RESULT = "'cancelled'|'failure'|'skipped'|'success'!"


def show(kind: Type) -> str:
    """Write a type in the words of this file."""
    match kind:
        case Anything():
            return "?"
        case Scalar(kind=name):
            return name
        case Text(values=None, prefix=prefix):
            return f"text {prefix}…" if prefix else "text"
        case Text(values=values):
            return "|".join(map(repr, sorted(values or ()))) + "!" * kind.is_fixed
        case ListOf(item=item):
            return f"[{show(item)}]" + "*" * kind.is_filtered
        case Record(members=members, rest=rest):
            parts = [f"{name}: {show(member)}" for name, member in members.items()]
            return "{" + ", ".join([*parts, *([f"…: {show(rest)}"] if rest else [])]) + "}"


def infer(
    text: str, workflow: str = WORKFLOW, job: int | None = -1, earlier: int | None = 7
) -> tuple[str, list[str]]:
    """Return the type of an expression in a step of the last job, and what is said of it."""
    found = subject(workflow, FILES)
    place = Place("if", None if job is None else found.workflow.jobs[job], None, earlier)
    contexts = Contexts(found.workflow, found.repository)
    inference = Inference(text, lambda name: contexts.find(name, place))
    node = parse_expression(text)
    assert node is not None
    kind = show(inference.infer(node))
    problems = [
        f"{one.start}-{one.end} {one.severity} {one.code}: {one.message}"
        + (f" ({one.hint})" if one.hint is not None else "")
        for one in inference.problems.found
    ]
    return kind, problems


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("null", "null"),
        ("true", "boolean"),
        ("1", "number"),
        ("'a'", "text"),
        ("!github.ref", "boolean"),
        ("1 < 2", "boolean"),
        ("github.sha && 'x'", "text"),
        ("github.sha || 1", "?"),
        ("env", "{…: text}"),
        ("vars.x", "text"),
        ("secrets.x", "text"),
        ("inputs.level", "''|'high'|'low'"),
        ("inputs.flag", "boolean"),
        ("inputs.COUNT", "number"),
        ("inputs.text", "text"),
        ("inputs.both", "text"),
        ("inputs.twice", "?"),
        ("inputs[github.ref]", "?"),
        ("github", "{"),
        ("github.ref", "text refs/…"),
        ("github.ref_type", "''|'branch'|'tag'!"),
        ("github.ref_protected", "?"),
        ("github.event_name", "text"),
        ("github.event", "?"),
        ("github.event.inputs.level", "?"),
        ("runner.os", "'Linux'|'Windows'|'macOS'!"),
        ("runner.arch", "'ARM'|'ARM64'|'X64'|'X86'!"),
        ("runner.environment", "'github-hosted'|'self-hosted'!"),
        ("runner.temp", "text"),
        (
            "strategy",
            "{fail-fast: boolean, job-index: number, job-total: number, max-parallel: number}",
        ),
        ("strategy[github.ref]", "?"),
        ("job.status", "'cancelled'|'failure'|'success'!"),
        ("job.container", "{id: text, network: text}"),
        ("job.services", "{data: {id: text, network: text, ports: {…: text}}}"),
        ("job.services.data.ports['80']", "text"),
        ("job.check_run_id", "text"),
        (
            "needs.build",
            f"{{result: {RESULT}, outputs: {{version: text}}}}",
        ),
        ("needs.CALLED.outputs", "{version: text}"),
        ("needs.remote.outputs", "{…: ?}"),
        ("needs.gone.outputs.x", "?"),
        ("needs[github.ref]", f"{{result: {RESULT[:-1]}, outputs: {{version: text, …: ?}}}}"),
        ("needs.*.result", f"[{RESULT[:-1]}]*"),
        ("jobs.computed.outputs", "{a: text}"),
        ("steps.first", f"{{outputs: {{…: text}}, outcome: {RESULT}, conclusion: {RESULT}}}"),
        (
            "steps.cache.outputs",
            "{cache-hit: text, cache-primary-key: text, cache-matched-key: text}",
        ),
        ("steps.composite.outputs", "{out: text}"),
        ("steps.script.outputs", "{…: text}"),
        ("steps.image.outputs", "{…: text}"),
        ("steps.remote.outputs", "{…: text}"),
        ("matrix.os", "'linux'|'macos'|'windows'"),
        ("matrix.number", "?"),
        ("matrix.flag", "boolean"),
        ("matrix.nothing", "null"),
        ("matrix.mixed", "?"),
        ("matrix.list", "['a'|'b']"),
        ("matrix.list[0]", "'a'|'b'"),
        ("matrix.list.*", "['a'|'b']*"),
        ("matrix.object", "{name: 'a'|'b', size: number, …: ?}"),
        ("matrix.object.gone", "?"),
        ("matrix.computed", "?"),
        ("matrix.extra", "text"),
        ("matrix.deep", "?"),
        ('fromJSON(\'{"A": [1, 2], "b": null}\')', "{a: [number], b: null, …: ?}"),
        ("fromJSON('[[1], [2]]').*", "[[number]]*"),
        ("fromJSON('[[1], [2]]').*.*", "[number]*"),
        ("fromJSON('[{\"a\": 1}]').*.a", "[number]*"),
        ("fromJSON('[{\"a\": 1}]').*.A", "[number]*"),
        ("fromJSON('[{\"a\": 1}]').*.b", "[?]*"),
        ("fromJSON('[1]').*.a", "[?]*"),
        ("fromJSON('[1]').*.*", "[?]*"),
        ("fromJSON('[1]').*[0]", "[?]*"),
        ("strategy.*", "[?]*"),
        ("env.*", "[text]*"),
        ("fromJSON('[1]')[0]", "number"),
        ("fromJSON(env.x)", "?"),
        ("fromJSON(env.x).a.b", "?"),
        ("fromJSON(env.x).*", "[?]*"),
        ("contains(env.x, 'a')", "boolean"),
        ("startsWith('a', 'b')", "boolean"),
        ("format('a')", "text"),
        ("join(needs.*.result)", "text"),
        ("toJSON(github)", "text"),
        ("hashFiles('a')", "text"),
        ("success()", "boolean"),
        ("case(true, 1, 2)", "number"),
        ("case(true, 1, 'a')", "?"),
        ("case(true, 1, false, 2, 3)", "number"),
        ("case(true, 1, false, 'a', 3)", "?"),
        ("env[github.ref]", "text"),
        ("job.services.*.ports.x", "[?]*"),
        ("needs.*.xyz", "[?]*"),
        *((f"job.workflow_{name}", "text") for name in ("ref", "sha", "repository", "file_path")),
    ],
)
def test_type_of_an_expression(text: str, kind: str) -> None:
    """Members are found in any case, and what nobody can know before the run is anything."""
    found, problems = infer(text)
    assert problems == []
    assert found.startswith(kind) if kind == "{" else found == kind


CONSTANT = "expression-type: "
QUOTES = " (compare with `true` or `false` without quotes, or use the value by itself)"
NO_MEMBERS = " (a JSON text becomes an object with `fromJSON(…)`)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "strategy.job_index",
            (
                "0-18 error unknown-property: `strategy` has no `job_index` (did you mean "
                "`job-index`?)"
            ),
        ),
        (
            "github.nope",
            (
                "0-11 error unknown-property: `github` has no `nope`; there is `action`, "
                "`action_path`, `action_ref`, `action_repository`, `action_status`, `actor`, "
                "`actor_id`, `api_url`, `artifacts`, `artifacts_list`, `base_ref`, `env`, …"
            ),
        ),
        (
            "strategy.nope",
            (
                "0-13 error unknown-property: `strategy` has no `nope`; there is `fail-fast`, "
                "`job-index`, `job-total`, `max-parallel`"
            ),
        ),
        ("job.x", "0-5 error unknown-property: `job` has no `x`; there is "),
        ("runner.x", "0-8 error unknown-property: `runner` has no `x`; there is "),
        (
            "job.container.x",
            "0-15 error unknown-property: `job.container` has no `x`; there is `id`, `network`",
        ),
        (
            "job.services.x",
            "0-14 error unknown-property: `job.services` has no `x`; there is `data`",
        ),
        (
            "job.services.data.x",
            (
                "0-19 error unknown-property: `job.services.data` has no `x`; there is `id`, "
                "`network`, `ports`"
            ),
        ),
        (
            "inputs.xyz",
            (
                "0-10 error unknown-input: `inputs` has no `xyz`; there is `level`, `flag`, "
                "`count`, `text`, `twice`, `both` (declare it under "
                "`on.workflow_dispatch.inputs` or `on.workflow_call.inputs`)"
            ),
        ),
        (
            "needs.computed",
            (
                "0-14 error unknown-need: `needs` has no `computed`; there is `build`, `called`, "
                "`remote`, `gone` (add the job to `needs`)"
            ),
        ),
        (
            "jobs.xyz",
            (
                "0-8 error unknown-need: the workflow has no `xyz`; there is `build`, `computed`, "
                "`called`, `remote`, `gone`, `test`"
            ),
        ),
        (
            "needs.build.output",
            "0-18 error unknown-property: job `Build` has no `output` (did you mean `outputs`?)",
        ),
        (
            "needs.build.outputs.x",
            ("0-21 error unknown-output: `outputs` of job `Build` has no `x`; there is `version`"),
        ),
        (
            "needs.called.outputs.x",
            ("0-22 error unknown-output: `outputs` of job `called` has no `x`; there is `version`"),
        ),
        (
            "steps.last",
            (
                "0-10 error unknown-step: `steps` has no `last`; there is `first`, `cache`, "
                "`composite`, `script`, `image`, `remote` (the step must have this `id` and stand "
                "before)"
            ),
        ),
        (
            "steps.first.x",
            (
                "0-13 error unknown-property: step `First` has no `x`; there is `outputs`, "
                "`outcome`, `conclusion`"
            ),
        ),
        (
            "steps.composite.outputs.x",
            ("0-25 error unknown-output: `outputs` of step `composite` has no `x`; there is `out`"),
        ),
        (
            "matrix.xyz",
            (
                "0-10 error unknown-matrix-key: `matrix` has no `xyz`; there is `os`, `number`, "
                "`flag`, `nothing`, `mixed`, `list`, `object`, `computed`, `extra`, `deep`"
            ),
        ),
        (
            "github.sha.x",
            (
                "0-12 error expression-type: `github.sha` is a string and has no members, so "
                "`github.sha.x` is empty" + NO_MEMBERS
            ),
        ),
        (
            "matrix.flag[0]",
            (
                "0-14 error expression-type: `matrix.flag` is a boolean and has no members, so "
                "`matrix.flag[0]` is empty" + NO_MEMBERS
            ),
        ),
        (
            "matrix.list.x",
            (
                "0-13 error expression-type: `matrix.list` is a list and has no members, so "
                "`matrix.list.x` is empty" + NO_MEMBERS
            ),
        ),
        (
            "matrix.nothing.x",
            (
                "0-16 error expression-type: `matrix.nothing` is null and has no members, so "
                "`matrix.nothing.x` is empty" + NO_MEMBERS
            ),
        ),
        ("!github.x", "1-9 error unknown-property: `github` has no `x`; "),
        (
            "github == 'x'",
            (
                "0-13 error expression-type: `github == 'x'` compares an object with a string, "
                "which is always false"
            ),
        ),
        (
            "1 != matrix.list",
            (
                "0-16 error expression-type: `1 != matrix.list` compares a list with a number, "
                "which is always true"
            ),
        ),
        (
            "matrix.flag == 'x'",
            (
                "0-18 error expression-type: `matrix.flag == 'x'` compares a boolean with a "
                "string, which is always false" + QUOTES
            ),
        ),
        (
            "'x' != strategy.job-total",
            (
                "0-25 error expression-type: `'x' != strategy.job-total` compares a number with a "
                "string, which is always true"
            ),
        ),
        (
            "matrix.os == 'Windows-11'",
            (
                "0-25 warning impossible-comparison: `matrix.os` is never 'Windows-11': it is "
                "'linux' or 'macos' or 'windows', so this is always false "
                "(did you mean 'windows'?)"
            ),
        ),
        (
            "'xyz' != runner.os",
            (
                "0-18 error impossible-comparison: `runner.os` is never 'xyz': it is 'Linux' or "
                "'Windows' or 'macOS', so this is always true"
            ),
        ),
        (
            "inputs.level == 'lo'",
            (
                "0-20 warning impossible-comparison: the input `Level` is never 'lo': it is '' or "
                "'high' or 'low', so this is always false (did you mean 'low'?)"
            ),
        ),
        (
            "github.ref == 'main'",
            (
                "0-20 error impossible-comparison: `github.ref` is never 'main': it starts with "
                "'refs/', so this is always false (write 'refs/heads/main' for a branch)"
            ),
        ),
        (
            "needs.build.result == 'ok'",
            "0-26 error impossible-comparison: the result of job `Build`",
        ),
        ("steps.first.outcome == 'ok'", "0-27 error impossible-comparison: the outcome of step"),
        ("github.ref_type == 'x'", "0-22 error impossible-comparison: `github.ref_type` is never"),
        ("runner.arch == 'x'", "0-18 error impossible-comparison: `runner.arch` is never"),
        ("runner.environment == 'x'", "0-25 error impossible-comparison: `runner.environment` is"),
        ("job.status == 'x'", "0-17 error impossible-comparison: `job.status` is never"),
        (
            "join(github)",
            (
                "5-11 error expression-type: argument 1 of `join` is an object, but a list is "
                "expected: `github`"
            ),
        ),
        (
            "join('a', matrix.list)",
            (
                "10-21 error expression-type: argument 2 of `join` is a list, but a string is "
                "expected: `matrix.list`"
            ),
        ),
        (
            "contains(github, 'a')",
            (
                "9-15 error expression-type: argument 1 of `contains` is an object, but a string "
                "or a list is expected: `github`"
            ),
        ),
        (
            "format('{0}{1}', 'a', github)",
            (
                "22-28 error expression-type: argument 3 of `format` is an object, but a string is "
                "expected: `github` (`toJSON(…)` makes a string of an object)"
            ),
        ),
        (
            "fromJSON(1)",
            (
                "9-10 error expression-type: argument 1 of `fromJson` is a number, but a JSON text "
                "is expected: `1`"
            ),
        ),
        (
            "hashFiles(matrix.list)",
            (
                "10-21 error expression-type: argument 1 of `hashFiles` is a list, but a string is "
                "expected: `matrix.list`"
            ),
        ),
        ("format('{{{0}}}', 'a')", ""),
        ("format(env.x)", ""),
        (
            "format('{0} {2}', 'a', 'b')",
            "0-27 error format-arguments: the format string uses {2}, but 2 arguments are given",
        ),
        (
            "format('{0} {1}', 'a')",
            "0-22 error format-arguments: the format string uses {1}, but 1 argument is given",
        ),
        (
            "format('{1}', 'a', 'b', 'c')",
            "14-17 warning format-arguments: the format string does not use argument {0}",
        ),
        (
            "format('{ {0}', 'a')",
            (
                "7-14 error format-arguments: the format string '{ {0}' has a single `{` (write "
                "`{{` and `}}` for braces)"
            ),
        ),
        (
            "fromJSON('{').a",
            "9-12 error invalid-json: '{' is not JSON: ",
        ),
    ],
)
def test_what_cannot_be_right(text: str, expected: str) -> None:
    """A mistake is told once, at its place, with what to do where that is known."""
    _, problems = infer(text)
    assert len(problems) == bool(expected)
    if expected.endswith(("; ", "there is ", ", ", "never", "`Build`", "step", "is", "JSON: ")):
        assert problems[0].startswith(expected)
    else:
        assert problems == [expected] * bool(expected)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "null == 'x'",
            "github == null",
            "null != matrix.list",
            "github == github",
            "matrix.list == needs",
        ),
        *("matrix.flag == '1'", "matrix.flag == ''", "strategy.job-total == '0x10'"),
        *(
            "matrix.os == 'LINUX'",
            "matrix.os == ''",
            "matrix.os < 'zzz'",
            "matrix.os == github.ref",
        ),
        *("github.ref == 'REFS/heads/x'", "github.ref == ''", "github.ref > 'a'", "env.x == 'a'"),
        *("inputs.level == ''", "github.event_name == 'push'", "matrix.extra == 'b'"),
        *("contains(matrix.list, 'a')", "contains('a', 1)", "join(matrix.list, 1)"),
        *("format('{0}', 1)", "fromJSON(env.x)", "fromJSON('1')", "toJSON(needs)"),
    ],
)
def test_what_may_be_right(text: str) -> None:
    """A comparison that can have either outcome, and arguments that are converted."""
    assert infer(text)[1] == []


def test_steps_from_outside_of_the_steps() -> None:
    """The outputs of a job see all of its steps."""
    kind, problems = infer("steps.last.outcome", earlier=None)
    assert (kind, problems) == (RESULT, [])
    _, problems = infer("steps.xyz", earlier=None)
    assert problems[0].endswith("(give the step this `id`)")
    assert infer("steps.last.outcome", earlier=8)[1] == []


def test_places_without_a_job() -> None:
    """What belongs to a job is not known outside of one, nor are its steps where it has none."""
    for name in ("needs", "matrix", "job", "steps"):
        assert infer(name, job=None) == ("?", [])
    assert infer("needs.x", job=2)[1] != []
    assert infer("steps", job=2) == ("?", [])
    assert infer("job", job=2) == ("?", [])


def triggered(on: str) -> str:
    return f"on: {on}\njobs: {{a: {{runs-on: x}}}}\n"


PUSH = "{push: {branches: [main, dev]}}"


@pytest.mark.parametrize(
    ("on", "text", "kind"),
    [
        ("push", "github.event_name", "'push'"),
        ("[push, pull_request]", "github.event_name", "'pull_request'|'push'"),
        ("[push, workflow_call]", "github.event_name", "text"),
        ("[push, workflow_call]", "github.event", "?"),
        ("push", "github.event", "{…: ?}"),
        ("push", "github.ref", "text refs/…"),
        (PUSH, "github.ref", "'refs/heads/dev'|'refs/heads/main'"),
        ("{push: {branches: [main, 'v*']}}", "github.ref", "text refs/…"),
        *(
            (f"{{push: {{branches: ['{glob}']}}}}", "github.ref", "text refs/…")
            for glob in ("a?", "a+", "[ab]", "!a", "a\\\\b")
        ),
        ("{push: {branches: [a], tags: [b]}}", "github.ref", "text refs/…"),
        ("{push: {branches: [a], tags-ignore: [b]}}", "github.ref", "text refs/…"),
        ("{push: {branches: [a]}, workflow_dispatch: }", "github.ref", "text refs/…"),
        (
            "{issues: {types: [opened, edited]}}",
            "github.event",
            "{action: 'edited'|'opened', …: ?}",
        ),
        ("{issues: {types: [opened]}, push: }", "github.event", "{…: ?}"),
        (
            "{issues: {types: [opened]}, release: {types: [created]}}",
            "github.event.action",
            "'created'|'opened'",
        ),
        ("{repository_dispatch: {types: [a]}}", "github.event", "{…: ?}"),
        (
            "{workflow_dispatch: {inputs: {One: {type: boolean}}}}",
            "github.event",
            "{inputs: {one: text}, …: ?}",
        ),
        ("{workflow_dispatch: {inputs: {One: }}}", "github.event[github.ref]", "?"),
        ("{workflow_call: {secrets: {One: {required: true}}}}", "secrets.one", "text"),
        ("{workflow_call: {secrets: {one: }}}", "secrets.GITHUB_TOKEN", "text"),
        ("{workflow_call: {secrets: {one: }}}", "secrets.ACTIONS_STEP_DEBUG", "text"),
        ("{workflow_call: {secrets: {one: }}}", "secrets.ACTIONS_RUNNER_DEBUG", "text"),
        ("{workflow_call: {secrets: {one: }}, push: }", "secrets.other", "text"),
        ("workflow_call", "secrets.other", "text"),
        ("push", "job.services", "{}"),
    ],
)
def test_what_the_triggers_fix(on: str, text: str, kind: str) -> None:
    """The event decides what `github` holds, a called workflow which secrets there are."""
    assert infer(text, triggered(on)) == (kind, [])


@pytest.mark.parametrize(
    ("on", "text", "expected"),
    [
        (
            "{workflow_call: {secrets: {one: }}}",
            "secrets.xyz",
            (
                "0-11 error undeclared-secret: `secrets` has no `xyz`; there is `one`, "
                "`github_token`, `actions_step_debug`, `actions_runner_debug` (declare it under "
                "`on.workflow_call.secrets`)"
            ),
        ),
        (
            "push",
            "inputs.x",
            (
                "0-8 error unknown-input: `inputs` has no `x`; it is empty (declare it under "
                "`on.workflow_dispatch.inputs` or `on.workflow_call.inputs`)"
            ),
        ),
        (
            "push",
            "matrix.x",
            (
                "0-8 error unknown-matrix-key: `matrix` has no `x`; it is empty (the job needs "
                "`strategy.matrix`)"
            ),
        ),
        (
            "{workflow_dispatch: {inputs: {one: }}}",
            "github.event.inputs.x",
            ("0-21 error unknown-input: `github.event.inputs` has no `x`; there is `one`"),
        ),
        (
            "{issues: {types: [opened]}}",
            "github.event.action == 'edited'",
            (
                "0-31 warning impossible-comparison: `github.event.action` is never 'edited': it "
                "is 'opened', so this is always false"
            ),
        ),
        (
            "push",
            "github.event_name == 'release'",
            (
                "0-30 warning impossible-comparison: `github.event_name` is never 'release': it is "
                "'push', so this is always false"
            ),
        ),
        (
            PUSH,
            "github.ref != 'refs/heads/mains'",
            (
                "0-32 warning impossible-comparison: `github.ref` is never 'refs/heads/mains': it "
                "is 'refs/heads/dev' or 'refs/heads/main', so this is always true (did you mean "
                "'refs/heads/main'?)"
            ),
        ),
    ],
)
def test_what_the_triggers_exclude(on: str, text: str, expected: str) -> None:
    """What another event would bring is not there."""
    assert infer(text, triggered(on))[1] == [expected]


@pytest.mark.parametrize(
    ("job", "text", "kind"),
    [
        ("strategy: '${{ fromJSON(vars.x) }}'", "matrix.x", "?"),
        ("strategy: {matrix: {a: [[], [b]]}}", "matrix.a", "?"),
        ("strategy: {matrix: {a: [[b], [c]]}}", "matrix.a", "?"),
        ("strategy: {matrix: {a: [{b: 1}, {c: 2}]}}", "matrix.a", "{b: number, c: number, …: ?}"),
        ("strategy: {matrix: {include: [{a: 1}]}}", "matrix.a", "?"),
        ("strategy: {matrix: {include: [{a: b}]}}", "matrix.a", "text"),
        ("strategy: {matrix: {a: ['${{ github.ref }}', b]}}", "matrix.a", "?"),
        ("strategy: {matrix: {a: ['${{ github.ref }}']}}", "matrix.a", "?"),
        ("strategy: {matrix: {a: [b]}}", "matrix.a", "'b'"),
    ],
)
def test_what_a_job_leaves_open(job: str, text: str, kind: str) -> None:
    """Where a key or a value is computed, any other may be there."""
    workflow = f"on: push\njobs: {{a: {{runs-on: x, {job}}}}}\n"
    assert infer(text, workflow) == (kind, [])


def test_a_whole_environment_can_be_computed() -> None:
    """A job whose services are one expression has any service."""
    text = HEAD + "    services: ${{ fromJSON(vars.x) }}\n"
    assert infer("job.services.x.id", text) == ("text", [])


@pytest.mark.parametrize(
    ("kinds", "merged"),
    [
        ([], "?"),
        ([NUMBER], "number"),
        ([NUMBER, NUMBER], "number"),
        ([NUMBER, BOOLEAN], "?"),
        ([TEXT, ANY], "?"),
        ([TEXT, TEXT], "text"),
        ([Text(values=frozenset("a")), TEXT], "text"),
        ([Text(values=frozenset("a"))], "'a'!"),
        ([Text(values=frozenset("a")), Text(values=frozenset("b"))], "'a'|'b'"),
        ([Record(members={"a": TEXT}), Record(members={"b": NUMBER})], "{a: text, b: number}"),
        ([Record(members={"a": TEXT}), Record(members={"a": NUMBER}, rest=TEXT)], "{a: ?, …: ?}"),
        ([ListOf(TEXT), ListOf(TEXT)], "[text]"),
        ([ListOf(TEXT), ListOf(NUMBER)], "?"),
    ],
)
def test_types_together(kinds: list[Type], merged: str) -> None:
    """What several values have in common; texts stay texts, objects have the members of all."""
    assert show(merge(kinds)) == merged


def test_names_of_merged_types() -> None:
    """Messages name the first that has a name."""
    texts = [Text(values=frozenset("a")), Text(values=frozenset("b"), label="`x`")]
    merged = merge(texts)
    assert isinstance(merged, Text)
    assert merged.label == "`x`"
    records = [Record(label="one", code="c", hint="h"), Record(label="two")]
    record = merge(records)
    assert isinstance(record, Record)
    assert (record.label, record.code, record.hint) == ("one", "c", "h")
