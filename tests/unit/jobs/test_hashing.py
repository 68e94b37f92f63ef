"""`hashFiles`: which files, in which order. What is expected was computed by @actions/glob 0.4."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from windlass.jobs.hashing import hash_files
from windlass.lang.expressions.faults import FaultError

if TYPE_CHECKING:
    from pathlib import Path

FILES = (
    "B.txt a.txt .hidden [x].md b.lock {c} dir/a.txt dir/.h/x dir/sub/b.lock dir/sub/deep/c.txt "
    "dir.d/q mods/m/b.lock"
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    workspace = tmp_path / "ws"
    for name in FILES.split():
        file = workspace / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (workspace / "ldir").symlink_to("dir")
    (workspace / "lfile").symlink_to("a.txt")
    (workspace / "dir/loop").symlink_to("..")
    return workspace


def hash_of(workspace: Path, names: str) -> str:
    """Return what the runner's script computes: a hash over the hashes of the files."""
    digests = [hashlib.sha256((workspace / name).read_bytes()).digest() for name in names.split()]
    return hashlib.sha256(b"".join(digests)).hexdigest() if digests else ""


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ("*.txt", "B.txt a.txt"),
        ("**/*.txt", "B.txt a.txt dir/a.txt dir/sub/deep/c.txt"),
        ("**/b.lock", "b.lock dir/sub/b.lock mods/m/b.lock"),
        ("**/b.lock\n!mods/**", "b.lock dir/sub/b.lock"),
        ("!mods/**\n**/b.lock", "b.lock dir/sub/b.lock mods/m/b.lock"),
        ("dir", "dir/.h/x dir/a.txt dir/sub/b.lock dir/sub/deep/c.txt"),
        ("dir/", "dir/.h/x dir/a.txt dir/sub/b.lock dir/sub/deep/c.txt"),
        ("dir/**", "dir/.h/x dir/a.txt dir/sub/b.lock dir/sub/deep/c.txt"),
        ("dir/*", "dir/.h/x dir/a.txt dir/sub/b.lock dir/sub/deep/c.txt"),
        ("dir/*/", "dir/.h/x dir/sub/b.lock dir/sub/deep/c.txt"),
        (
            "*",
            (
                ".hidden B.txt [x].md a.txt b.lock dir/.h/x dir/a.txt dir/sub/b.lock "
                "dir/sub/deep/c.txt dir.d/q lfile mods/m/b.lock {c}"
            ),
        ),
        ("?.txt", "B.txt a.txt"),
        ("[ab].*", "a.txt b.lock"),
        ("[!a].txt", "B.txt"),
        ("[^a].txt", "B.txt"),
        ("{c}", "{c}"),
        ("\\[x\\].md", "[x].md"),
        ("[[]x].md", "[x].md"),
        ("[x].md", ""),
        (".*", ".hidden"),
        ("**/.h", "dir/.h/x"),
        ("b.lock\na.txt", "b.lock a.txt"),
        ("a.txt\n!a.txt", ""),
        ("!!a.txt", "a.txt"),
        ("# a.txt", ""),
        ("./a.txt", "a.txt"),
        ("dir//a.txt", "dir/a.txt"),
        ("dir/**/c.txt", "dir/sub/deep/c.txt"),
        ("nope", ""),
        ("dir/**b*", "dir/sub/b.lock dir/sub/deep/c.txt"),
        ("{a,b}.txt", ""),
        ("ldir/**", ""),
        ("lfile", "lfile"),
        ("mods/m\nmods", "mods/m/b.lock"),
    ],
)
def test_files(workspace: Path, patterns: str, names: str) -> None:
    """The files of a pattern, depth first and sorted; patterns in order, the last one decides."""
    assert hash_of(workspace, names) == hash_files(workspace, patterns.split("\n"))
    assert hash_of(workspace, names) == hash_files(workspace, [patterns])


def test_absolute_patterns(workspace: Path) -> None:
    """A pattern may be absolute; what it finds outside of the workspace does not count."""
    (workspace.parent / "outside.txt").write_text("x")
    expected = hash_of(workspace, "B.txt a.txt")

    assert expected == hash_files(workspace, [f"{workspace}/*.txt"])
    assert expected == hash_files(workspace, [f"{workspace.parent}/*.txt\n*.txt"])
    assert hash_files(workspace, [f"{workspace.parent}/*.txt"]) == ""


def test_links_may_be_followed(workspace: Path) -> None:
    """With the option a link to a folder is searched, once in a circle."""
    followed = hash_files(workspace, ["--follow-symbolic-links", "ldir/sub/**"])

    assert hash_of(workspace, "dir/sub/b.lock dir/sub/deep/c.txt") == followed
    assert hash_files(workspace, ["--FOLLOW-symbolic-links", "**/c.txt"]) != ""


def test_link_that_leads_nowhere(workspace: Path) -> None:
    """A broken link that matches is a fault; where links are followed it is passed over."""
    (workspace / "broken.txt").symlink_to("nowhere")

    with pytest.raises(FaultError, match="Fail to hash files under directory"):
        hash_files(workspace, ["*.txt"])
    assert hash_of(workspace, "B.txt a.txt") == hash_files(
        workspace, ["--follow-symbolic-links", "*.txt"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--deep", "x"],
            "Invalid glob option --deep, avaliable option: '--follow-symbolic-links'.",
        ),
        (["../x"], "Invalid pattern '../x'. Relative pathing '.' and '..' is not allowed."),
        (["it's/../x"], "hashFiles('it''s/../x') failed. Fail to hash files under directory"),
        (["!"], "Parameter 'pattern' must not be empty"),
        (["a.txt/x"], "Not a directory"),
    ],
)
def test_faults(workspace: Path, arguments: list[str], message: str) -> None:
    """What the runner refuses is a fault of the expression, never an empty hash."""
    with pytest.raises(FaultError) as failure:
        hash_files(workspace, arguments)

    assert message in failure.value.fault.message
