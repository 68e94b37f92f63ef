"""What linting one file does around the rules: reading, following, ordering, ignoring, writing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.lint.subjects import HEAD, PATH, MemoryFiles, job, subject

from windlass.lang.diagnostics import Diagnostic, Related, Severity
from windlass.lang.lint import Repository, lint_file
from windlass.lang.lint.ignoring import without_ignored
from windlass.lang.lint.repository import NoFiles, join, local_path
from windlass.lang.lint.sarif import write_sarif
from windlass.lang.lint.token_values import plain_value
from windlass.lang.matrix_shape import read_matrix
from windlass.lang.positions import Position, Span

CALL = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/called.yml\n"
CALLED = ".github/workflows/called.yml"


def lint(path: str, text: str | bytes, files: dict[str, str] | None = None) -> list[str]:
    content = text if isinstance(text, bytes) else text.replace("-on: x", "-on: linux").encode()
    found = lint_file(path, content, Repository(MemoryFiles(files or {})))
    return [f"{one.span} {one.code}: {one.message}" for one in found]


def codes(text: str, files: dict[str, str] | None = None) -> list[str]:
    return [one.split()[1].rstrip(":") for one in lint("w.yml", text, files)]


ACTION = """\
name: a
inputs: {who: {default: x}}
outputs: {out: {value: '${{ steps.one.outcome }}'}, other: {value: '${{ github.gone }}'}}
runs:
  using: composite
  steps:
    - {id: one, run: 'echo ${{ inputs.who }} ${{ github.nope }} # é', shell: bash}
    - {run: 'echo ${{ inputs.what }} ${{ steps.gone.outputs.x }}', shell: bash}
"""


@pytest.mark.parametrize("path", ["action.yml", "a/action.yaml"])
def test_a_composite_action(path: str) -> None:
    """Its steps and outputs are looked at with its inputs, in the order of the file."""
    found = [one.partition(";")[0] for one in lint(path, ACTION)]
    assert found == [
        f"{path}:3:73 unknown-property: `github` has no `gone`",
        f"{path}:7:50 unknown-property: `github` has no `nope`",
        f"{path}:8:23 unknown-input: `inputs` has no `what`",
        f"{path}:8:42 unknown-step: `steps` has no `gone`",
    ]


def test_a_composite_action_in_its_repository() -> None:
    """It may use other actions there, and any event may be the reason that it runs."""
    steps = "[{id: l, uses: ./one}, {run: '${{ steps.l.outputs.nope }}', shell: bash}]"
    text = f"runs: {{using: composite, steps: {steps}}}\n"
    one = "outputs: {o: {value: x}}\nruns: {using: composite, steps: []}\n"
    assert lint("action.yml", text, {"one/action.yml": one}) == [
        "action.yml:1:67 unknown-output: `outputs` of step `l` has no `nope`; there is `o`"
    ]
    event = "${{ github.event_name == 'push' && github.event.x }}"
    text = f'runs: {{using: composite, steps: [{{run: "{event}", shell: bash}}]}}\n'
    assert lint("action.yml", text) == []


def test_other_actions_have_no_steps() -> None:
    """Only what the reader says is told of an action that is a script."""
    assert lint("action.yml", "runs: {using: node24, main: m.js}\n") == []
    assert lint("action.yml", "runs: {using: node1, main: m.js}\n")[0].startswith("action.yml:1:15")
    assert lint("actions.yml", ACTION)[0].startswith("actions.yml:1:1 ")


def test_findings_are_in_the_order_of_the_file() -> None:
    """By line, then column, then code, whichever rule found them."""
    text = job("      - run: echo ${{ github.x }} ${{ env }}\n      - run: echo ${{ github.y }}\n")
    found = [one.split(":")[1:3] for one in lint(PATH, text)]
    assert found == [
        ["6", "23 unknown-property"],
        ["6", "39 expression-type"],
        ["7", "23 unknown-property"],
    ]


def test_a_line_that_the_reader_refuses_has_no_other_findings() -> None:
    """Rules are silent where the reader found something that leaves the workflow readable."""
    step = "      - {run: '${{ github.x }}', env: '${{ fromJSON(github.y) }}'}\n"
    assert codes(job(f"{step}      - run: ${{{{ github.z }}}}\n")) == [
        "unexpected-type",
        "unknown-property",
    ]


def test_text_that_is_not_utf8() -> None:
    """The reader says so, for workflows and for actions."""
    assert lint("w.yml", b"on: \xff\n")[0].startswith("w.yml:1:5 not-utf8")
    assert lint("action.yml", b"name: \xff\n")[0].startswith("action.yml:1:7 not-utf8")


def test_calls_are_followed() -> None:
    """A called workflow is read where there is a repository, and its mistakes are told."""
    inputs = "{a: {required: true, type: string}}"
    asks = f"on: {{workflow_call: {{inputs: {inputs}}}}}\njobs: {{x: {{runs-on: x}}}}\n"
    assert codes(CALL, {CALLED: asks}) == ["call-input-missing"]
    assert codes(CALL) == ["call-not-found"]
    (itself,) = lint(CALLED, CALL, {CALLED: CALL})
    assert itself.endswith(f"calls itself: {CALLED} calls {CALLED}")
    assert [one.code for one in lint_file("w.yml", CALL.encode(), Repository(NoFiles()))] == []


def test_a_called_workflow_is_not_read_without_a_call() -> None:
    """A workflow that calls nothing is read once."""
    files = MemoryFiles({})
    lint_file("w.yml", job("      - run: a\n").encode(), Repository(files))
    assert files.read_paths == []


def finding(line: int, code: str) -> Diagnostic:
    place = Span("w.yml", Position(line, 1), Position(line, 2))
    return Diagnostic(code=code, message="m", span=place)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\nb\n", ["1 one", "1 two", "2 one", "3 one"]),
        ("a # windlass: ignore[one]\nb\n", ["1 two", "2 one", "3 one"]),
        ("a #windlass:ignore[ one , two ]\nb\n", ["2 one", "3 one"]),
        ("a # windlass: ignore[one,two]\nb\n", ["2 one", "3 one"]),
        ("# windlass: ignore[one]\nb\nc", ["1 one", "1 two", "3 one"]),
        ("  # windlass: ignore[one]\nb # windlass: ignore[two]\nc", ["1 one", "1 two", "3 one"]),
        ("# windlass: ignore[two]\n# windlass: ignore[one]\nc", ["1 one", "1 two", "2 one"]),
        ("a # windlass: ignore one\nb\n", ["1 one", "1 two", "2 one", "3 one"]),
    ],
)
def test_ignored_findings(text: str, kept: list[str]) -> None:
    """A comment behind something is about its line, one that stands alone about the next."""
    found = [finding(1, "one"), finding(1, "two"), finding(2, "one"), finding(3, "one")]
    assert [
        f"{one.span.start.line} {one.code}" for one in without_ignored(found, text) if one.span
    ] == kept


def test_two_comments_for_one_line() -> None:
    """One above and one behind add up, and a finding without a place is never ignored."""
    text = "# windlass: ignore[one]\nb # windlass: ignore[two]\n"
    nowhere = Diagnostic(code="one", message="m", span=None)
    found = [finding(2, "one"), finding(2, "two"), finding(2, "three"), nowhere]
    assert [one.code for one in without_ignored(found, text)] == ["three", "one"]


@pytest.mark.parametrize(
    ("folder", "path", "joined"),
    [
        ("", "a/b", "a/b"),
        ("a", "b", "a/b"),
        ("a/b", "../c", "a/c"),
        ("a", "./b//c/.", "a/b/c"),
        ("", "", ""),
        ("", ".", ""),
        ("a", "..", ""),
        ("a", "../..", ".."),
        ("", "../../a", "../../a"),
        ("", "..a/b", "..a/b"),
        ("a/b/c", "../../d", "a/d"),
    ],
)
def test_paths_joined(folder: str, path: str, joined: str) -> None:
    """`.` and `..` are worked out, but those that lead out of the repository."""
    assert join(folder, path) == joined


def test_local_paths() -> None:
    """`./` and `$/` both begin at the root of the repository."""
    uses = ["./a/../b", "$/a", "a/b@c", "docker://a", "."]
    assert [local_path(one) for one in uses] == ["b", "a", None, None, None]


WORKFLOW = "name: {}\non: push\njobs: {{a: {{runs-on: x}}}}\n"


def test_what_a_repository_holds() -> None:
    """Actions by their folder, workflows by their name or path; each is read once."""
    files = MemoryFiles(
        {
            "one/action.yml": "name: one\nruns: {using: node24, main: m.js}\n",
            "two/action.yaml": "name: two\nruns: {using: node24, main: m.js}\n",
            "both/action.yml": "name: first\nruns: {using: node24, main: m.js}\n",
            "both/action.yaml": "name: second\nruns: {using: node24, main: m.js}\n",
            "wrong/action.yml": "name: wrong\n",
            "image/Dockerfile": "",
            "lower/dockerfile": "",
            "other/readme": "",
            ".github/workflows/a.yml": WORKFLOW.format("Named"),
            ".github/workflows/b.yaml": "on: push\njobs: {a: {runs-on: x}}\n",
            ".github/workflows/c.yml": "wrong",
            ".github/workflows/d.txt": "",
        }
    )
    repository = Repository(files)
    names = []
    for folder in ("one", "two", "both", "wrong", "image", "gone"):
        action = repository.find_action(folder)
        names.append(action.name if action is not None else None)
        assert repository.find_action(folder) is action
    assert names == ["one", "two", "first", None, None, None]
    assert files.read_paths.count("one/action.yml") == 1
    found = repository.find_action("two")
    assert found is not None
    assert found.path == "two/action.yaml"
    folders = ("one", "two", "wrong", "image", "lower", "other", "gone")
    assert [folder for folder in folders if repository.has_action_file(folder)] == [*folders[:5]]
    assert repository.workflow_names == {
        *("Named", ".github/workflows/b.yaml", ".github/workflows/c.yml")
    }
    assert repository.find_workflow(".github/workflows/gone.yml") is None
    again = repository.find_workflow(".github/workflows/a.yml")
    assert again is repository.find_workflow(".github/workflows/a.yml")
    assert again is not None
    assert again.path == ".github/workflows/a.yml"
    changed = repository.read_workflow(".github/workflows/a.yml", WORKFLOW.format("x").encode())
    assert changed.workflow is not None
    assert changed.workflow.name == "x"


def test_a_repository_that_nobody_can_look_into() -> None:
    """Nothing is known to be missing, and nothing can be read."""
    repository = Repository(NoFiles())
    assert not repository.is_known
    assert Repository(MemoryFiles({})).is_known
    assert repository.find_action("a") is None
    assert repository.has_action_file("a")
    assert repository.workflow_names == frozenset()
    assert repository.timezones is None
    assert Repository(NoFiles(), timezones=lambda: frozenset({"UTC"})).timezones == {"UTC"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text", (True, "text")),
        ("'5'", (True, "5")),
        ("5", (True, 5)),
        ("2.5", (True, 2.5)),
        ("true", (True, True)),
        ("~", (True, None)),
        ("[a, [1]]", (True, ["a", [1]])),
        ("{a: {b: 1}}", (True, {"a": {"b": 1}})),
        ("'${{ vars.x }}'", (False, None)),
        ("[a, '${{ vars.x }}']", (False, ["a", None])),
        ("{a: '${{ vars.x }}'}", (False, None)),
        ("{'${{ insert }}': '${{ fromJSON(vars.x) }}', a: b}", (False, None)),
    ],
)
def test_values_as_written(written: str, value: tuple[bool, object]) -> None:
    """A value is known if no expression is in it; whole numbers have no point."""
    shape = read_matrix(
        subject(HEAD + f"    strategy: {{matrix: {{v: [{written}]}}}}\n").jobs[0].strategy
    )
    assert shape is not None
    ((token,),) = [vector.values or () for vector in shape.vectors]
    found = plain_value(token)
    assert found == value
    assert type(found[1]) is type(value[1])


def test_sarif_in_full() -> None:
    """Levels, places, related places and rules, for a rule of ours and a code of the reader."""
    span = Span("a b/w.yml", Position(2, 3), Position(4, 5))
    backwards = Span("w.yml", Position(2, 3), Position(1, 0))
    findings = [
        Diagnostic(
            code="bad-glob",
            message="one",
            span=span,
            hint="do",
            related=(Related("r", backwards), Related("s", span)),
        ),
        Diagnostic(code="zz", message="two", span=None, severity=Severity.WARNING),
        Diagnostic(code="zz", message="three", span=span, severity=Severity.NOTICE),
    ]
    log = write_sarif(findings, version="1.2")
    run = log["runs"][0]
    rules: list[dict[str, Any]] = run["tool"]["driver"].pop("rules")
    ids = [rule["id"] for rule in rules]
    assert ids == sorted(ids)
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": "a%20b/w.yml"},
            "region": {"startLine": 2, "startColumn": 3, "endLine": 4, "endColumn": 5},
        }
    }
    assert log == {
        "$schema": (
            "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
            "sarif-schema-2.1.0.json"
        ),
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "windlass", "version": "1.2"}},
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": "bad-glob",
                        "ruleIndex": ids.index("bad-glob"),
                        "level": "error",
                        "message": {"text": "one (do)"},
                        "locations": [place],
                        "relatedLocations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "w.yml"},
                                    "region": {
                                        "startLine": 2,
                                        "startColumn": 3,
                                        "endLine": 2,
                                        "endColumn": 1,
                                    },
                                },
                                "id": 1,
                                "message": {"text": "r"},
                            },
                            {**place, "id": 2, "message": {"text": "s"}},
                        ],
                    },
                    {
                        "ruleId": "zz",
                        "ruleIndex": len(ids) - 1,
                        "level": "warning",
                        "message": {"text": "two"},
                        "locations": [],
                    },
                    {
                        "ruleId": "zz",
                        "ruleIndex": len(ids) - 1,
                        "level": "note",
                        "message": {"text": "three"},
                        "locations": [place],
                    },
                ],
            }
        ],
    }
    assert rules[-1] == {"id": "zz"}
    glob = rules[ids.index("bad-glob")]
    assert list(glob) == [
        *("id", "shortDescription", "fullDescription", "help", "defaultConfiguration")
    ]
    assert glob["help"]["text"] == glob["help"]["markdown"]
    first, _, _ = glob["help"]["text"].partition("\n")
    assert glob["fullDescription"] == {"text": first}
    assert glob["shortDescription"]["text"] in glob["shortDescription"].values()
    assert glob["defaultConfiguration"] == {"level": "error"}
