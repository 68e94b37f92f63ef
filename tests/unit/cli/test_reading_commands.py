"""The commands that read workflows: exit codes, what goes to stdout, JSON for programs."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from windlass.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

RIGHT = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
"""
WRONG = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    step: 1
  test:
    runs-on: ${{ foo }}
    steps: []
"""


@pytest.fixture
def workflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the workflows of a repository that is the current folder."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return folder


def evaluate(
    lines: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[object]]:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines)))
    code = main(["expr", "eval"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_expressions_are_answered_line_by_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A result has kind and value; a fault is an answer too, and no failure of the command."""
    lines = b'{"expr": "a.b", "contexts": {"a": {"b": 1}}}\n\n{"expr": "nope"}\n'
    code, answers = evaluate(lines, monkeypatch, capsys)

    assert code == 0
    assert answers[0] == {"result": {"kind": "Number", "value": 1}}
    assert [list(answer) for answer in answers] == [["result"], ["err"]]  # type: ignore[call-overload]


def test_a_malformed_line_is_answered_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines that cannot be read do not keep the others from being answered."""
    code, answers = evaluate(b'rubbish\n{"expr": "1"}\n\xff\n', monkeypatch, capsys)

    assert code == 2
    assert [list(answer) for answer in answers] == [["err"], ["result"], ["err"]]  # type: ignore[call-overload]


def test_workflow_parse_of_a_right_file(
    workflows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The value is printed with --json; people get one line."""
    file = workflows / "ci.yml"
    file.write_text(RIGHT)

    assert main(["workflow", "parse", str(file), "--json"]) == 0
    parsed = json.loads(capsys.readouterr().out)
    assert parsed["errors"] == []
    assert parsed["value"]["jobs"][0]["id"] == "build"
    assert main(["workflow", "parse", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: no errors, 1 job\n"


def test_workflow_parse_of_a_wrong_file(
    workflows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every error is told, with line and column from 1, and the exit code is 1."""
    file = workflows / "ci.yml"
    file.write_text(WRONG)

    assert main(["workflow", "parse", str(file), "--json"]) == 1
    errors = json.loads(capsys.readouterr().out)["errors"]
    assert [(error["line"], error["column"]) for error in errors] == [(5, 5), (7, 14)]
    assert main(["workflow", "parse", str(file)]) == 1
    out = capsys.readouterr().out
    assert f"{file}:5:5: error: " in out
    assert "  5 |     step: 1\n" in out
    assert out.endswith("2 errors\n")


@pytest.mark.parametrize(
    "words",
    [["workflow", "parse", "nope.yml"], ["lint", "nope.yml"], ["compat", "nope.yml"]],
    ids=lambda words: words[0],
)
def test_a_file_that_is_not_there(
    words: list[str], workflows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path that leads nowhere is an input error: 2, one line, a hint."""
    assert main(words) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("windlass: error: ")
    assert "nope.yml" in captured.err
    assert captured.err.count("\n") == 2


def test_lint_of_right_workflows(workflows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is said, and is a success."""
    (workflows / "ci.yml").write_text(RIGHT)

    assert main(["lint", "--no-shellcheck"]) == 0
    assert capsys.readouterr().out == "no problems found in 1 workflow\n"


def test_lint_counts_actions_apart(workflows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was looked at is called what it is."""
    (workflows / "ci.yml").write_text(RIGHT)
    action = workflows.parent / "actions" / "greet" / "action.yml"
    action.parent.mkdir(parents=True)
    action.write_text("runs: {using: composite, steps: [{run: 'true', shell: bash}]}\n")

    assert main(["lint", "--no-shellcheck"]) == 0
    assert capsys.readouterr().out == "no problems found in 1 workflow and 1 action\n"


def test_lint_of_wrong_workflows(workflows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors end with 1, in every form."""
    (workflows / "ci.yml").write_text(WRONG)

    assert main(["lint"]) == 1
    assert ".github/workflows/ci.yml:5:5: error: " in capsys.readouterr().out
    assert main(["lint", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    assert {"path": ".github/workflows/ci.yml", "line": 5, "column": 5}.items() <= found[0].items()
    assert main(["lint", "--sarif"]) == 1
    assert json.loads(capsys.readouterr().out)["version"] == "2.1.0"


def test_lint_takes_one_form_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    """--json and --sarif together are a usage error."""
    assert main(["lint", "--json", "--sarif"]) == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_compat_of_what_is_refused(workflows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refused feature ends with 1 and names its places."""
    (workflows / "ci.yml").write_text(RIGHT + "    snapshot: mine\n")

    assert main(["compat"]) == 1
    out = capsys.readouterr().out
    assert "\n    .github/workflows/ci.yml:7:15  `snapshot` of job `build`\n" in out
    assert out.endswith("1 workflow, features: 1 refused, 1 differs\n")


def test_compat_of_what_only_differs(workflows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What differs but runs is told and is a success."""
    (workflows / "ci.yml").write_text(RIGHT)

    assert main(["compat", "--json"]) == 0
    [feature] = json.loads(capsys.readouterr().out)["features"]
    assert feature["verdict"] == "differs"
    assert feature["places"][0]["line"] == 4


def test_compat_says_nothing_of_what_it_cannot_read(
    workflows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file with mistakes is not called honoured."""
    (workflows / "wrong.yml").write_text("on: pushh\n")

    assert main(["compat", str(workflows / "wrong.yml")]) == 1
    assert capsys.readouterr().out == "1 of 1 workflow could not be read\n"

    (workflows / "gone.yml").symlink_to("nowhere")
    assert main(["compat"]) == 1
    assert capsys.readouterr().out == "2 of 2 workflows could not be read\n"
