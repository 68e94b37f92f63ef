"""What is read of a bare repository without a checkout: it is what Git says of it."""

from __future__ import annotations

import hashlib
import subprocess
import zlib
from typing import TYPE_CHECKING

import pytest

from windlass.errors import GitError
from windlass.git.commit_facts import compare_commits, read_commit
from windlass.git.objects import LargeObjectError, ObjectReader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Bare:
    """A bare repository whose commits are made without a checkout."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(path))

    def git(self, *words: str, text: bytes | None = None, **variables: str) -> str:
        """Run Git and return what it prints."""
        folder = self.path if self.path.exists() else self.path.parent
        environment = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", **variables}
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=environment,
            input=text,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().rstrip("\n")

    def write(self, files: Mapping[str, tuple[str, str]]) -> str:
        """Return the tree of files, each with a mode and a content."""
        folders: dict[str, dict[str, tuple[str, str]]] = {}
        lines = ""
        for path, (mode, content) in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(name, {})[rest] = (mode, content)
                continue
            sha = content if mode == "160000" else self._write_blob(content)
            kind = "commit" if mode == "160000" else "blob"
            lines += f"{mode} {kind} {sha}\t{name}\0"
        for name, inner in folders.items():
            lines += f"040000 tree {self.write(inner)}\t{name}\0"
        return self.git("mktree", "-z", "--missing", text=lines.encode())

    def commit(self, files: Mapping[str, tuple[str, str]], *parents: str, **more: str) -> str:
        """Return a commit of files."""
        people = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org"}
        people |= {"GIT_COMMITTER_NAME": "Bob", "GIT_COMMITTER_EMAIL": "bob@example.org"}
        message = more.pop("message", "A change").encode(more.pop("encoding", "utf-8"))
        named = [word for it in parents for word in ("-p", it)]
        settings = ("-c", f"i18n.commitEncoding={more.pop('told', 'utf-8')}")
        tree = self.write(files)
        return self.git(*settings, "commit-tree", tree, *named, text=message, **{**people, **more})

    def _write_blob(self, content: str) -> str:
        return self.git("hash-object", "-w", "--stdin", text=content.encode())


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare(tmp_path / "bare.git")


FILE, PROGRAM, LINK, MODULE = "100644", "100755", "120000", "160000"
BEFORE = {
    "same": (FILE, "1"),
    "changed": (FILE, "1"),
    "gone": (FILE, "1"),
    "made executable": (FILE, "1"),
    "file to link": (FILE, "1"),
    "file to folder": (FILE, "1"),
    "folder to file/inner": (FILE, "1"),
    "deep/er/same": (FILE, "1"),
    "deep/er/changed": (FILE, "1"),
    "deep/gone/file": (FILE, "1"),
    "deep.file": (FILE, "1"),
    "module": (MODULE, "1" * 40),
    "ä": (FILE, "1"),
}
AFTER = {
    "same": (FILE, "1"),
    "changed": (FILE, "2"),
    "made executable": (PROGRAM, "1"),
    "file to link": (LINK, "1"),
    "file to folder/inner": (FILE, "1"),
    "folder to file": (FILE, "1"),
    "deep/er/same": (FILE, "1"),
    "deep/er/changed": (FILE, "2"),
    "deep/new/file": (FILE, "1"),
    "deep.file": (FILE, "2"),
    "module": (MODULE, "2" * 40),
    "ä": (FILE, "2"),
}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(BEFORE, AFTER, id="all kinds"),
        pytest.param(AFTER, BEFORE, id="all kinds, backwards"),
        pytest.param(BEFORE, BEFORE, id="nothing"),
        pytest.param({}, BEFORE, id="from nothing"),
    ],
)
def test_changes(
    bare: Bare, before: dict[str, tuple[str, str]], after: dict[str, tuple[str, str]]
) -> None:
    """Files that differ are those of `git diff`, in its order."""
    one, other = bare.commit(before), bare.commit(after)
    listing = bare.git("diff-tree", "-r", "-z", "--name-status", "--no-renames", one, other)
    fields = listing.split("\0")
    expected = list(zip(fields[1::2], fields[::2], strict=False))
    with ObjectReader(bare.path) as objects:
        found = compare_commits(objects, one, other)
    assert found is not None
    assert list(found.items()) == expected


def test_changes_of_a_first_commit(bare: Bare) -> None:
    """Without a commit before it, all files are new."""
    sha = bare.commit(BEFORE)
    with ObjectReader(bare.path) as objects:
        found = compare_commits(objects, None, sha)
    assert found == dict.fromkeys(sorted(BEFORE, key=str.encode), "A")


def test_changes_that_are_too_many(bare: Bare) -> None:
    """Few trees can stand for any number of files; what is alike in two commits counts for none."""
    inner = bare.write({"file": (FILE, "1")})
    for _ in range(9):
        lines = "".join(f"040000 tree {inner}\t{number}\0" for number in range(10))
        inner = bare.git("mktree", "-z", text=lines.encode())
    bomb = bare.git("mktree", "-z", text=f"040000 tree {inner}\tbomb\0".encode())
    more = bare.write({"file": (FILE, "2")})
    both = (("bomb", inner), ("more", more))
    lines = "".join(f"040000 tree {sha}\t{name}\0" for name, sha in both)
    beside = bare.git("mktree", "-z", text=lines.encode())
    with ObjectReader(bare.path) as objects:
        assert compare_commits(objects, None, bomb) is None
        assert compare_commits(objects, bomb, beside) == {"more/file": "A"}


def test_changes_of_a_deep_folder(bare: Bare) -> None:
    """However deep it is."""
    tree = bare.write({"file": (FILE, "1")})
    for _ in range(1500):
        tree = write_tree(bare, tree)
    with ObjectReader(bare.path) as objects:
        assert compare_commits(objects, None, tree) == {"d/" * 1500 + "file": "A"}


def write_tree(bare: Bare, inner: str) -> str:
    """Return a tree that has nothing but another one, without a process for it."""
    content = b"40000 d\0" + bytes.fromhex(inner)
    whole = b"tree %d\0" % len(content) + content
    sha = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    path = bare.path / "objects" / sha[:2] / sha[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole))
    return sha


def test_trees_and_commits_that_are_too_large(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not read."""
    sha = bare.commit({"file": (FILE, "1")})
    for module in ("objects", "commit_facts"):
        monkeypatch.setattr(f"windlass.git.{module}.MOST_BYTES", 30)
    with ObjectReader(bare.path) as objects, pytest.raises(LargeObjectError):
        objects.find_commit(sha)
    with ObjectReader(bare.path) as objects, pytest.raises(LargeObjectError):
        read_commit(objects, sha)
    with ObjectReader(bare.path) as objects, pytest.raises(LargeObjectError):
        compare_commits(objects, None, sha)


FORMAT = "%H%x00%P%x00%an%x00%ae%x00%cI%x00%B"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"message": "One line"}, id="plain"),
        pytest.param({"message": "Title\n\nBody\n\n\n"}, id="with a body"),
        pytest.param({"message": "Grüße"}, id="not ASCII"),
        pytest.param({"message": "Grüße", "encoding": "latin-1", "told": "latin-1"}, id="latin-1"),
        pytest.param({"GIT_AUTHOR_NAME": "A. <B> Ç"}, id="signs in a name"),
        pytest.param({"GIT_COMMITTER_DATE": "1700000000 +0000"}, id="at Greenwich"),
        pytest.param({"GIT_COMMITTER_DATE": "1700000000 -0330"}, id="west of it"),
        pytest.param({"GIT_COMMITTER_DATE": "1700000000 +1245"}, id="east of it"),
    ],
)
def test_facts(bare: Bare, more: dict[str, str]) -> None:
    """A commit says what `git log` says of it."""
    parents = bare.commit({}), bare.commit(BEFORE)
    sha = bare.commit(AFTER, *parents, **{"GIT_COMMITTER_DATE": "1600000000 +0200", **more})
    told = bare.git("log", "-1", "--encoding=UTF-8", f"--format={FORMAT}", sha).split("\0")
    with ObjectReader(bare.path) as objects:
        found = read_commit(objects, sha)
    assert found is not None
    expected = [*told[:4], told[4].replace("Z", "+00:00"), told[5].rstrip("\n")]
    assert [
        *(found.sha, " ".join(found.parents), found.author_name, found.author_email),
        *(found.timestamp, found.message),
    ] == expected


def test_what_is_not_there(bare: Bare) -> None:
    """A name that stands for nothing is no mistake, whatever it looks like, nor ends the reader."""
    sha = bare.commit(BEFORE)
    bare.git("update-ref", "refs/heads/main", sha)
    with ObjectReader(bare.path) as objects:
        for name in (
            "0" * 40,
            "refs/heads/none",
            f"{sha}:none",
            "a\nb",
            "",
            "HEAD tree 3",
            "--help",
        ):
            assert objects.find(name) is None
        assert objects.find_commit(f"{sha}:same") is None
        assert objects.find_commit("refs/heads/main") == sha
        with pytest.raises(GitError, match="missing"):
            objects.list_tree("0" * 40)


def test_what_comes_later_is_found(bare: Bare) -> None:
    """A reader sees what was fetched after it began."""
    with ObjectReader(bare.path) as objects:
        assert objects.find_commit("refs/heads/main") is None
        bare.git("update-ref", "refs/heads/main", sha := bare.commit(BEFORE))
        assert objects.find_commit("refs/heads/main") == sha


def test_what_is_too_large(bare: Bare) -> None:
    """No more is read than is allowed."""
    sha = bare.commit({"file": (FILE, "x" * 1000)})
    with ObjectReader(bare.path) as objects:
        found = objects.find(f"{sha}:file", 1000)
        assert found is not None
        assert len(found.content) == 1000
        with pytest.raises(LargeObjectError, match="more than 999 bytes"):
            objects.find(f"{sha}:file", 999)


def test_a_damaged_repository(bare: Bare) -> None:
    """What Git cannot read is as good as missing, and is never taken for empty."""
    sha = bare.commit({"folder/file": (FILE, "content")})
    tree = bare.git("rev-parse", f"{sha}:folder")
    path = bare.path / "objects" / tree[:2] / tree[2:]
    path.chmod(0o600)
    path.write_bytes(b"broken")
    with ObjectReader(bare.path) as objects, pytest.raises(GitError):
        compare_commits(objects, None, sha)


def test_no_repository(tmp_path: Path) -> None:
    """A folder that is no repository is said to be none."""
    with ObjectReader(tmp_path) as objects, pytest.raises(GitError, match="not a git repository"):
        objects.find("HEAD")
