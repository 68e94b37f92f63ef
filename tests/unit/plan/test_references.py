"""What `uses` says of other repositories."""

from __future__ import annotations

import pytest

from windlass.lang.action import read_action
from windlass.lang.action.model import CompositeRuns
from windlass.plan.references import (
    is_full_sha,
    is_published,
    list_uses,
    read_reference,
    settle_own_uses,
)

SHA = "b4ffde65f46336ab88eb53be808477a3936bae11"


@pytest.mark.parametrize(
    ("uses", "name", "path", "ref"),
    [
        ("actions/cache@v4", "actions/cache", "", "v4"),
        ("actions/cache/save@v4", "actions/cache", "save", "v4"),
        ("github/codeql-action/a/b@main", "github/codeql-action", "a/b", "main"),
        ("o/r@feature/x", "o/r", "", "feature/x"),
        ("o/r@refs/heads/x", "o/r", "", "refs/heads/x"),
        (f"o/r@{SHA}", "o/r", "", SHA),
        ("o/r/./a@v1", "o/r", "a", "v1"),
        ("o//r/@v1", "o/r", "", "v1"),
        ("o\\r\\a@v1", "o/r", "a", "v1"),
        ("o/r/.github/workflows/x.yml@v1", "o/r", ".github/workflows/x.yml", "v1"),
    ],
)
def test_a_reference_is_read(uses: str, name: str, path: str, ref: str) -> None:
    """`owner/name[/path]@ref`, with either separator, as the runner splits it."""
    reference = read_reference(uses)

    assert reference is not None
    assert (reference.name, reference.path, reference.ref) == (name, path, ref)
    assert reference.key == f"{name}@{ref}"


@pytest.mark.parametrize(
    "uses",
    [
        *("", "o", "o/r", "o/r@", "@v1", "o@v1", "./a@v1", "$/a@v1", "docker://o/r@v1", "/o/r@v1"),
        *("o/../r@v1", "../r@v1", "o/..@v1", "o/r/../../x@v1", "o/r/a/..@v1", "./o/r@v1"),
        *("o/r@-v", "o/r@a..b", "o/r@a b", "o/r@a~1", "o/r@a^{}", "o/r@a:b", "o/r@a?", "o/r@*"),
        *(
            "o/r@a.lock",
            "o/r@a/",
            "o/r@/a",
            "o/r@a//b",
            "o/r@.a",
            "o/r@a/.b",
            "o/r@a\nb",
            "o/r@a@b",
        ),
        *("o/r@v1@v2", "-o/r name@v1", "o!/r@v1", "o/r;x@v1", ".github/workflows/a@b.yml"),
    ],
)
def test_what_is_none_is_refused(uses: str) -> None:
    """Nothing that leads out of a folder, is an option of Git's or cannot be a ref."""
    assert read_reference(uses) is None


def test_other_kinds_are_not_published() -> None:
    """The workspace, the repository itself, an image."""
    kinds = ("./a", ".\\a", "$/a", "docker://a", "o/r@v1")
    assert [is_published(uses) for uses in kinds] == [False] * 4 + [True]


@pytest.mark.parametrize(("ref", "expected"), [(SHA, True), (SHA[:39], False), ("v1", False)])
def test_full_shas_are_told(ref: str, expected: bool) -> None:
    """Only a full SHA names a commit."""
    assert is_full_sha(ref) is expected


def test_own_paths_of_a_published_action_are_of_its_repository() -> None:
    """`$/path` in an action of another repository is not one of the workflow's."""
    text = b"""
runs:
  using: composite
  steps:
    - uses: $/inner
    - uses: ./local
    - uses: x/y@v2
    - run: a
      shell: sh
"""
    action = read_action("action.yml", text).action
    assert action is not None
    assert isinstance(action.runs, CompositeRuns)

    steps = settle_own_uses(action.runs.steps, "o/r", "v1")

    assert [token.value for token in list_uses(steps)] == ["o/r/inner@v1", "./local", "x/y@v2"]
