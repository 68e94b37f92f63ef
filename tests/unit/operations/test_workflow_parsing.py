"""`workflow parse`: a file as GitHub's own parser writes it, or everything that is wrong "
"with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.errors import InputError
from windlass.operations.workflows import parse_workflow

if TYPE_CHECKING:
    from pathlib import Path

SUCCESS = {"type": 3, "expr": "success()"}


def write(root: Path, name: str, text: str) -> Path:
    path = root / ".github" / "workflows" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_right_workflow(tmp_path: Path) -> None:
    """The value has the shape that GitHub's package gives it; there are no errors."""
    path = write(
        tmp_path,
        "ci.yml",
        "on: {push: {branches: main}}\nenv: {A: 1}\njobs:\n  a:\n    runs-on: [x, y]\n    "
        "needs: []\n"
        "    strategy: {matrix: {n: [1, 1.5, true, ~]}}\n"
        "    steps:\n      - run: echo ${{ github.ref }}\n      - uses: a/b@c\n        "
        "with: {k: v}\n",
    )
    vector = {"type": 1, "seq": [1, 1.5, True, None]}
    matrix = {"type": 2, "map": [{"Key": "n", "Value": vector}]}
    assert parse_workflow(path) == {
        "value": {
            "events": {"push": {"branches": ["main"]}},
            "jobs": [
                {
                    "type": "job",
                    "id": "a",
                    "name": "a",
                    "needs": [],
                    "if": SUCCESS,
                    "strategy": {"type": 2, "map": [{"Key": "matrix", "Value": matrix}]},
                    "runs-on": {"type": 1, "seq": ["x", "y"]},
                    "steps": [
                        {
                            "id": "__run",
                            "if": SUCCESS,
                            "run": {"type": 3, "expr": "format('echo {0}', github.ref)"},
                        },
                        {"id": "__a_b", "if": SUCCESS, "uses": "a/b@c"},
                    ],
                }
            ],
            "env": {"type": 2, "map": [{"Key": "A", "Value": "1"}]},
        },
        "errors": [],
    }


def test_columns_count_utf16_units(tmp_path: Path) -> None:
    """A column is what GitHub's package says, to which an emoji is two units."""
    path = write(
        tmp_path, "ci.yml", "\ufeffon: push\njobs: {a: {runs-on: '🚀 x', foo: 1, 'é': 1}}\n"
    )
    found = [(one["line"], one["column"]) for one in parse_workflow(path)["errors"]]
    assert found == [(2, 29), (2, 37)]


def test_called_workflow_is_part_of_the_value(tmp_path: Path) -> None:
    """Local reusable workflows are resolved beside the file."""
    write(
        tmp_path,
        "called.yml",
        "on: {workflow_call: {inputs: {x: {type: number}}}}\njobs: {b: {runs-on: x}}\n",
    )
    path = write(
        tmp_path, "ci.yml", "on: push\njobs: {a: {uses: ./.github/workflows/called.yml}}\n"
    )
    found = parse_workflow(path)
    assert found["errors"] == []
    (job,) = found["value"]["jobs"]
    assert job["ref"] == "./.github/workflows/called.yml"
    assert [one["id"] for one in job["jobs"]] == ["b"]
    assert job["input-definitions"]["map"][0]["Key"] == "x"


def test_errors(tmp_path: Path) -> None:
    """Errors have GitHub's words without the prefix, a place from 1, and a code."""
    path = write(
        tmp_path, "ci.yml", "on: push\njobs:\n  a:\n    runs-on: x\n    foo: 1\n    if: x\n"
    )
    assert parse_workflow(path) == {
        "value": None,
        "errors": [
            {"message": "Unexpected value 'foo'", "line": 5, "column": 5, "code": "unexpected-key"}
        ],
    }


def test_error_elsewhere_names_the_file(tmp_path: Path) -> None:
    """An error in a called workflow says where it is."""
    write(tmp_path, "called.yml", "on: workflow_call\njobs: {b: {runs-on: }}\n")
    path = write(
        tmp_path, "ci.yml", "on: push\njobs: {a: {uses: ./.github/workflows/called.yml}}\n"
    )
    (error,) = parse_workflow(path)["errors"]
    assert error["path"] == ".github/workflows/called.yml"


def test_file_outside_the_repository_is_not_read(tmp_path: Path) -> None:
    """A reference cannot leave the repository."""
    (tmp_path / "secret.yml").write_text("on: workflow_call\njobs: {b: {runs-on: x}}\n")
    path = write(
        tmp_path / "repository", "ci.yml", "on: push\njobs: {a: {uses: ./../secret.yml}}\n"
    )
    (error,) = parse_workflow(path)["errors"]
    assert error["message"] == "Unable to find reusable workflow"


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file is no mistake in a workflow."""
    with pytest.raises(InputError) as caught:
        parse_workflow(tmp_path / "gone.yml")
    assert "cannot be read: No such file or directory" in caught.value.message
    assert caught.value.hint
