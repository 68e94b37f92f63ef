"""Where expressions stand, and from an offset in a value to its place in the file."""

from __future__ import annotations

import pytest
from tests.unit.lint.subjects import MemoryFiles, job, subject

from windlass.lang.action import read_action
from windlass.lang.action.model import CompositeRuns
from windlass.lang.lint import Repository
from windlass.lang.lint.composite import as_workflow
from windlass.lang.lint.injection import script_uses, tainted_variables
from windlass.lang.lint.places import Place, condition_text, parse_expression, steps_of
from windlass.lang.lint.source import Source
from windlass.lang.lint.subject import Subject
from windlass.lang.positions import Position, Span

WORKFLOW = """\
run-name: ${{ github.a1 }}
on:
  workflow_call:
    inputs: {i: {type: string, default: '${{ github.a2 }}'}}
    outputs: {o: {value: '${{ jobs.a3 }}'}}
concurrency: ${{ github.a4 }}
env: {A: '${{ github.a5 }}'}
defaults: {run: {shell: bash}}
jobs:
  job:
    if: github.b1
    name: ${{ github.b2 }}-${{ github.b3 }}
    strategy: {matrix: {v: ['${{ github.b4 }}']}}
    concurrency: {group: '${{ github.b5 }}'}
    runs-on: ['${{ github.b6 }}']
    env: {A: '${{ github.b7 }}'}
    defaults: {run: '${{ fromJSON(github.b8) }}'}
    outputs: {o: '${{ github.b9 }}'}
    environment: {name: '${{ github.c1 }}'}
    container: {image: '${{ github.c2 }}'}
    services: {s: {image: '${{ github.c3 }}'}}
    timeout-minutes: ${{ github.c4 }}
    continue-on-error: ${{ github.c5 }}
    steps:
      - id: one
        if: ${{ github.d1 }} && ${{ github.d2 }}
        name: ${{ github.d3 }}
        env: {A: '${{ github.d4 }}'}
        continue-on-error: ${{ github.d5 }}
        timeout-minutes: ${{ github.d6 }}
        run: echo ${{ github.d7 }}
        shell: bash
        working-directory: ${{ github.d8 }}
      - parallel:
          - uses: o/r@v1
            with: {a: '${{ github.e1 }}', b: ' ${{ github.e2 }} '}
      - uses: o/r@v1
        if: "'it''s' == github.e3"
        env: ${{ fromJSON(github.e4) }}
        with: ${{ fromJSON(github.e5) }}
  other:
    runs-on: x
    defaults: {run: {shell: '${{ github.g1 }}', working-directory: 'x/${{ github.g2 }}'}}
  mixed:
    runs-on: ['${{ github.h1 }}-x', 'x-${{ github.h2 }}', '${{ github.h3 }}${{ github.h4 }}']
  call:
    uses: ./.github/workflows/other.yml
    with: {a: '${{ github.f1 }}'}
    secrets: {a: '${{ github.f2 }}'}
"""
USES = [
    "run-name 1:15 github.a1 text",
    "concurrency 6:18 github.a4 text",
    "env 7:15 github.a5 text",
    "outputs 5:31 jobs.a3 text",
    "default 4:46 github.a2 text",
    "job if 11:9 github.b1",
    "job name 12:15 github.b2 text",
    "job name 12:32 github.b3 text",
    "job strategy 13:34 github.b4",
    "job concurrency 14:31 github.b5 text",
    "job runs-on 15:20 github.b6",
    "job env 16:19 github.b7 text",
    "job defaults.run 17:26 fromJSON(github.b8)",
    "job outputs 18:23 github.b9 text",
    "job environment 19:30 github.c1",
    "job container 20:29 github.c2",
    "job services 21:32 github.c3",
    "job timeout-minutes 22:26 github.c4 text",
    "job continue-on-error 23:28 github.c5 text",
    "job one 0 if 26:16 github.d1",
    "job one 0 if 26:36 github.d2",
    "job one 0 name 27:19 github.d3 text",
    "job one 0 env 28:23 github.d4 text",
    "job one 0 continue-on-error 29:32 github.d5 text",
    "job one 0 timeout-minutes 30:30 github.d6 text",
    "job one 0 run 31:23 github.d7 text",
    "job one 0 working-directory 33:32 github.d8 text",
    "job __o_r 2 with 36:28 github.e1 text",
    "job __o_r 2 with 36:52 github.e2 text",
    "job __o_r 3 if 38:14 'it''s' == github.e3",
    "job __o_r 3 env 39:18 fromJSON(github.e4)",
    "job __o_r 3 with 40:19 fromJSON(github.e5)",
    "other defaults 43:34 github.g1 text",
    "other defaults 43:75 github.g2 text",
    "mixed runs-on 45:20 github.h1 text",
    "mixed runs-on 45:44 github.h2 text",
    "mixed runs-on 45:64 github.h3 text",
    "mixed runs-on 45:80 github.h4 text",
    "call with 48:20 github.f1 text",
    "call secrets 49:23 github.f2 text",
]


def test_every_expression_of_a_workflow() -> None:
    """Each has its key, its job and step with what comes before, its place, and what is wanted."""
    found = []
    for use in subject(WORKFLOW).expressions:
        place = use.place
        words = [place.job.id if place.job else "", place.step.id if place.step else ""]
        words += ["" if place.earlier is None else str(place.earlier), place.key, str(use.start)]
        words += [use.text.strip(), "text" if use.wants_text else ""]
        assert use.path == ".github/workflows/ci.yml"
        assert use.node == parse_expression(use.text)
        found.append(" ".join(filter(None, words)))
    assert found == USES


@pytest.mark.parametrize(
    ("text", "functions"),
    [("success() && failure() || always() || cancelled()", True), ("hashFiles('a', 'b')", True)],
)
def test_all_contexts_and_functions_are_known_everywhere(text: str, functions: bool) -> None:
    """Whether one may be used in its place is for the reader to say."""
    contexts = "github env vars job jobs steps runner secrets strategy matrix needs inputs"
    for name in contexts.split():
        assert parse_expression(f"{name}.x") is not None
    assert (parse_expression(text) is not None) is functions
    assert parse_expression("unknown.x") is None
    assert parse_expression("a ==") is None


def test_expressions_of_an_action() -> None:
    """In a composite action the shell can be computed as well."""
    text = """\
inputs: {shell: {default: bash}}
outputs: {o: {value: '${{ steps.a.outputs.o }}'}}
runs:
  using: composite
  steps: [{id: a, run: 'echo ${{ github.ref }}', shell: '${{ inputs.shell }}'}]
"""
    action = read_action("action.yml", text.encode()).action
    assert action is not None
    assert isinstance(action.runs, CompositeRuns)
    whole = as_workflow(action, action.runs)
    found = Subject(whole, Repository(MemoryFiles({})), text).expressions
    assert [f"{one.start} {one.place.key} {one.text}" for one in found] == [
        "2:27 outputs steps.a.outputs.o",
        "5:34 run github.ref",
        "5:62 shell inputs.shell",
    ]


def test_span_of_an_expression_over_several_lines() -> None:
    """Offsets are those of the text, which starts behind the braces."""
    script = "echo ${{ github.a &&\n            github.b &&\n          github.c }}"
    (use,) = subject(job(f"      - run: |\n          {script}\n")).expressions
    assert use.text.strip() == "github.a &&\n  github.b &&\ngithub.c"
    first, second = use.text.index("github.a"), use.text.index("github.b")
    assert str(use.span(first, first + 8).start) == "7:20"
    assert str(use.span(first, first + 8).end) == "7:28"
    assert str(use.span(second, second + 8).start) == "8:13"
    assert str(use.span(second, second + 8).end) == "8:21"
    assert str(use.span(second, second).end) == "8:14"
    assert str(use.span(use.text.index("github.c"), len(use.text)).start) == "9:11"


@pytest.mark.parametrize("key", ["run", "if"])
def test_an_expression_that_begins_with_a_new_line(key: str) -> None:
    """What stands in the line after the braces is placed there."""
    other = "run: a" if key == "if" else "id: a"
    text = job(f"      - {key}: |\n          ${{{{\n            github.a }}}}\n        {other}\n")
    (use,) = subject(text).expressions
    assert str(use.span(use.text.index("github.a"), len(use.text)).start) == "8:13"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("github.ref", "github.ref"),
        (" ${{ github.ref }} ", " github.ref "),
        ("${{ a }} && ${{ b }}", " a }} && ${{ b "),
        ("x ${{ a }}", "x ${{ a }}"),
        ("${{\na\n}}", "\na\n"),
    ],
)
def test_text_of_a_condition(source: str, text: str) -> None:
    """Braces all around are left out."""
    assert condition_text(source) == text


@pytest.mark.parametrize(
    ("text", "value", "found", "expected"),
    [
        ("a: bc def", "bc def", "def", "1:7-1:10"),
        ("a: 'bc def'", "bc def", "def", "1:8-1:11"),
        ('a: "bc def"', "bc def", "def", "1:8-1:11"),
        ("\ufeffa: 'bc'", "bc", "c", "1:6-1:7"),
        ("a: |\n  bc\n  def ghi\n", "bc\ndef ghi\n", "bc", "2:3-2:5"),
        ("a: |\n  bc\n  def ghi\n", "bc\ndef ghi\n", "ghi", "3:7-3:10"),
        ("a: |\n\n  bc\n", "\nbc\n", "bc", "3:3-3:5"),
        ("a: |-\n    bc\n     d", "bc\n d", "d", "3:6-3:7"),
        ("a: |\n  bc\n  d\n", "bc\nd\n", "bc\nd", "2:3-2:5"),
        ("a: |\n  bc\n  d\n", "bc\nd\n", "c\nd", "2:4-2:5"),
        ("a: |\n  bc\n  d\n", "bc\nd\n", "", "2:3-2:4"),
        ("a: bc", "bc", "", "1:4-1:5"),
        ("a: >\n  bc\n  d\n", "bc d\n", "d", "1:4-3:4"),
        ("a: bc\n  d\n", "bc d", "d", "1:4-2:4"),
        ("a: > # x", "", "", "1:4-1:9"),
        ("a: |", "", "", "2:1-2:2"),
    ],
)
def test_place_of_a_stretch_of_a_scalar(text: str, value: str, found: str, expected: str) -> None:
    """Blocks and single lines are exact to the end of the line; of others the whole is named."""
    lines = text.removeprefix("\ufeff").rstrip("\n").split("\n")
    scalar = Span("f.yml", Position(1, 4), Position(len(lines), len(lines[-1]) + 1))
    start = value.index(found)
    span = Source(text).span(scalar, value, start, start + len(found))
    assert (span.path, f"{span.start}-{span.end}") == ("f.yml", expected)


def test_place_behind_the_end_of_the_file() -> None:
    """A scalar that the file does not have gives its own place."""
    scalar = Span("f.yml", Position(9, 1), Position(9, 2))
    assert str(Source("a").span(scalar, "x", 0, 1).end) == "9:2"


STEPS = """\
      - run: echo ${{ github.a }}
        name: ${{ github.b }}
      - uses: actions/github-script@v7
        with: {Script: '${{ github.c }}', other: '${{ github.d }}', cmd: 'x ${{ github.e }}'}
        env: {run: '${{ github.f }}'}
      - uses: o/r@v1
        with: {command: '${{ github.g }}', inlineScript: '${{ github.h }}', run: a}
"""


def test_expressions_that_become_scripts() -> None:
    """Those in `run`, and in inputs of actions that are scripts."""
    found = [use.text.strip() for use in script_uses(subject(job(STEPS)))]
    assert found == ["github.a", "github.c", "github.e", "github.g", "github.h"]


def test_variables_that_hold_untrusted_text() -> None:
    """The innermost `env` decides; the first untrusted part names its source."""
    text = """\
on: issues
env: {A: '${{ github.head_ref }}', B: '${{ github.head_ref }}', C: '${{ github.head_ref }}'}
jobs:
  a:
    runs-on: x
    env: {B: trusted, D: 'x ${{ github.ref }} ${{ github.event.issue.title }}'}
    steps:
      - run: a
        env: {C: '${{ github.sha }}', E: '${{ github.event.comment.body || github.head_ref }}'}
      - run: b
  call:
    uses: ./.github/workflows/x.yml
"""
    found = subject(text)
    first, second = steps_of(found.jobs[0])
    assert tainted_variables(found, Place("run", first.job, first.step)) == {
        "A": "github.head_ref",
        "D": "github.event.issue.title",
        "E": "github.event.comment.body",
    }
    assert set(tainted_variables(found, Place("run", second.job, second.step))) == {*"ACD"}
    assert set(tainted_variables(found, Place("name", found.jobs[0]))) == {*"ACD"}
    assert set(tainted_variables(found, Place("with", found.calls[0]))) == {*"ABC"}
    assert set(tainted_variables(found, Place("env"))) == {*"ABC"}
