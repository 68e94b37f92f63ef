"""The built-in `actions/checkout`, compared with what Git itself checks out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.jobs.conftest import git

from windlass.model.status import Result

if TYPE_CHECKING:
    from tests.integration.jobs.conftest import Bench

CHECKOUT = "- uses: actions/checkout@v4\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with all that makes copying hard."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "plain.txt").write_text("one\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "deep/er").mkdir(parents=True)
    (root / "deep/er/file").write_bytes(bytes(range(256)))
    (root / "link").symlink_to("deep/er/file")
    (root / "dangling").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff name\n")).write_text("odd\n")
    (root / ".gitignore").write_text("*.log\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    git(root, "tag", "v1")
    git(root, "branch", "other")
    return root


@pytest.fixture
def bench(bench: Bench, root: Path) -> Bench:
    """The bench, with the repository at its head."""
    bench.keep = True
    bench.repository = replace(
        bench.repository, root=str(root), head_sha=git(root, "rev-parse", "HEAD")
    )
    return bench


def content(folder: Path) -> dict[str, tuple[str, bytes, bool]]:
    """Return every entry below a folder but `.git`: kind, content, whether it is executable."""
    found: dict[str, tuple[str, bytes, bool]] = {}
    for entry in folder.rglob("*"):
        key = str(entry.relative_to(folder))
        if key.split("/")[0] == ".git":
            continue
        if entry.is_symlink():
            found[key] = ("link", os.fsencode(entry.readlink()), False)
        elif entry.is_dir():
            found[key] = ("folder", b"", False)
        else:
            found[key] = ("file", entry.read_bytes(), os.access(entry, os.X_OK))
    return found


def workspace(bench: Bench) -> Path:
    return bench.root / "job/cat/cat"


def test_same_as_git_worktree(bench: Bench, root: Path, tmp_path: Path) -> None:
    """What is checked out is, entry by entry, what `git worktree` gives."""
    git(root, "worktree", "add", "-q", "--detach", str(tmp_path / "worktree"), "HEAD")
    finished = bench.run(CHECKOUT)

    assert finished.result is Result.SUCCESS, bench.errors()
    assert content(tmp_path / "worktree") == content(workspace(bench))


def test_with_the_users_changes(bench: Bench, root: Path) -> None:
    """Changed, removed and new files are as in the user's folder; ignored ones are not there."""
    (root / "plain.txt").write_text("two\n")
    (root / "run.sh").unlink()
    (root / "new").write_text("new\n")
    (root / "ignored.log").write_text("x")
    bench.run(f"{CHECKOUT}- run: git status --short")

    expected = content(root)
    del expected["ignored.log"]
    assert expected == content(workspace(bench))
    assert "with the changes that are not committed yet" in bench.output()
    assert bench.output().endswith(" M plain.txt\n D run.sh\n?? new\n")


def test_committed_only(bench: Bench, root: Path) -> None:
    """The commit alone, where that was asked for."""
    (root / "plain.txt").write_text("two\n")
    (root / "new").write_text("new\n")
    bench.committed_only = True
    bench.run(f"{CHECKOUT}- run: git status --short; cat plain.txt")

    assert bench.output().endswith(", committed content only\none\n")
    assert not (workspace(bench) / "new").exists()


def test_job_has_its_own_git(bench: Bench, root: Path) -> None:
    """What a job tags and commits stays in its workspace; history and tags are there."""
    before = git(root, "for-each-ref")
    bench.run(
        f"""
{CHECKOUT}
- run: |
    git tag v2; git config user.name x; git config user.email x@example.org
    echo x > x; git add x; git commit -q -m job
    git log --format=%s; git tag; git rev-parse --abbrev-ref HEAD; git remote get-url origin
    git status --short --branch
"""
    )

    assert bench.output().endswith(
        "\njob\nfirst\nv1\nv2\nmain\nhttps://github.com/octo/cat\n## main...origin/main [ahead 1]\n"
    )
    assert before == git(root, "for-each-ref")
    assert git(root, "status", "--short") == ""


def test_workspace_is_empty_before(bench: Bench) -> None:
    """Without a checkout there is nothing, and git finds no repository around it."""
    bench.run("- run: ls -A; git rev-parse || echo none")

    assert bench.output().endswith("none\n")
    assert "fatal: not a git repository" in bench.output()


@pytest.mark.parametrize(
    ("inputs", "command", "output"),
    [
        pytest.param("path: sub/dir", "cat sub/dir/plain.txt", "one\n", id="path"),
        pytest.param("ref: other", "git rev-parse --abbrev-ref HEAD", "other\n", id="branch"),
        pytest.param("ref: v1", "git rev-parse --abbrev-ref HEAD", "HEAD\n", id="tag"),
        pytest.param("ref: refs/heads/other", "cat plain.txt", "one\n", id="full-ref"),
        pytest.param("repository: Octo/Cat", "cat plain.txt", "one\n", id="own-repository"),
        pytest.param("fetch-depth: 0", "git rev-list --count HEAD", "1\n", id="depth"),
        pytest.param("submodules: true", "cat plain.txt", "one\n", id="no-submodules"),
        pytest.param("lfs: true", "cat plain.txt", "one\n", id="no-lfs"),
        pytest.param("clean: false", "cat plain.txt; test ! -e before", "one\n", id="no-checkout"),
        pytest.param("clean: true", "cat plain.txt; test ! -e before", "one\n", id="cleaned"),
        pytest.param("persist-credentials: false", "cat plain.txt", "one\n", id="credentials"),
    ],
)
def test_inputs(bench: Bench, inputs: str, command: str, output: str) -> None:
    """Inputs do what they do on GitHub."""
    finished = bench.run(
        f"""
- run: echo x > before
- uses: Actions/Checkout@11bd71901bbe5b1630ceea73d27597364c9af683
  with: {{{inputs}}}
- run: {command} 2>/dev/null
"""
    )

    assert finished.result is Result.SUCCESS, bench.errors()
    assert bench.output().partition(")")[2].removeprefix("\n") == output


def test_older_commit(bench: Bench, root: Path) -> None:
    """Another commit comes without the user's changes, detached; the outputs name it."""
    first = bench.repository.head_sha
    (root / "plain.txt").write_text("two\n")
    git(root, "commit", "-q", "-a", "-m", "second")
    bench.repository = replace(bench.repository, head_sha=git(root, "rev-parse", "HEAD"))
    (root / "plain.txt").write_text("three\n")
    bench.run(
        f"""
- uses: actions/checkout@v4
  id: c
  with: {{ref: {first}}}
- run: cat plain.txt; git status --short; echo ${{{{ steps.c.outputs.commit }}}}
- uses: actions/checkout@v4
- run: cat plain.txt
"""
    )

    assert bench.output().splitlines()[1:3] == ["one", first]
    assert bench.output().endswith("\nthree\n")


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ("repository: octo/dog", "octo/dog cannot be fetched from here"),
        ("ref: nowhere", "A branch or tag with the name 'nowhere' could not be found"),
        ("ref: --upload-pack=x", "A branch or tag with the name '--upload-pack=x' could not"),
        (f"ref: {'a' * 40}", "there is no commit aaaa"),
        ("path: ../out", "is not under"),
        ("path: /out", "is not under"),
    ],
)
def test_refusals(bench: Bench, inputs: str, error: str) -> None:
    """What cannot be honoured fails the step with the reason."""
    finished = bench.run(f"- uses: actions/checkout@v4\n  with: {{{inputs}}}")

    assert finished.result is Result.FAILURE
    assert error in bench.errors()[0]


def test_unknown_input(bench: Bench) -> None:
    """An input that the action does not have is a warning, as on GitHub."""
    finished = bench.run("- uses: actions/checkout@v4\n  with: {pth: x}")

    assert finished.result is Result.SUCCESS
    assert "Unexpected input(s) 'pth', valid inputs are ['allow-unsafe-pr-checkout', " in repr(
        bench.seen
    )


def test_unknown_commit_of_the_event(bench: Bench) -> None:
    """An event about a commit that is not here cannot be checked out."""
    bench.repository = replace(bench.repository, head_sha="1" * 40)
    finished = bench.run(CHECKOUT)

    assert finished.result is Result.FAILURE
    assert "is not in" in bench.errors()[0]
