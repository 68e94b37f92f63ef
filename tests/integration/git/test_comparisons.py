"""What differs between commits, and which commits and refs there are, as git itself says."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from windlass.git.commit_log import LogRange, find_commit, list_commits, read_commit
from windlass.git.comparisons import Distance, list_file_changes, make_diff, make_patches, measure
from windlass.git.entries import find_entry, list_entries, measure_object
from windlass.git.references import list_references, read_tag
from windlass.git.submodules import read_submodule_urls

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.git.conftest import Checkout

    from windlass.git.references import Reference

TEXT = "".join(f"line {number}\n" for number in range(40))


@pytest.fixture
def changed(checkout: Checkout) -> tuple[str, str]:
    """Two commits between which a file has had everything done to it that can be."""
    for name in ("kept", "gone", "old", "mode", "link", "text"):
        checkout.write(name, f"{name}\n{TEXT}")
    (checkout.path / "bytes").write_bytes(b"\0\1")
    base = checkout.commit("Base")
    checkout.git("rm", "--quiet", "gone")
    checkout.git("mv", "old", "new name\twith a tab")
    (checkout.path / "mode").chmod(0o755)
    (checkout.path / "link").unlink()
    (checkout.path / "link").symlink_to("kept")
    checkout.write("text", f"{TEXT}diff --git a/x b/x\n@@ -1 +1 @@\n")
    (checkout.path / "bytes").write_bytes(b"\0\2")
    checkout.write("added")
    return base, checkout.commit("Head")


def test_every_kind_of_change(checkout: Checkout, changed: tuple[str, str]) -> None:
    """Each file has its kind, its lines and its own hunks, whatever is in it."""
    found = {it.path: it for it in list_file_changes(*changed, root=checkout.path)}
    facts = {path: (it.status, it.added, it.deleted) for path, it in found.items()}
    assert facts == {
        "added": ("A", 1, 0),
        "bytes": ("M", 0, 0),
        "gone": ("D", 0, 41),
        "link": ("T", 1, 41),
        "mode": ("M", 0, 0),
        "new name\twith a tab": ("R", 0, 0),
        "text": ("M", 2, 1),
    }
    assert found["new name\twith a tab"].previous_path == "old"
    assert (found["bytes"].patch, found["mode"].patch) == (None, None)
    assert found["gone"].sha == checkout.git("rev-parse", f"{changed[0]}:gone")
    assert found["added"].patch == "@@ -0,0 +1 @@\n+text"
    assert str(found["text"].patch).endswith("+diff --git a/x b/x\n+@@ -1 +1 @@")
    assert str(found["link"].patch).count("@@ -") == 2


SETTINGS = [
    "diff.noprefix=true",
    "diff.mnemonicPrefix=true",
    "diff.renames=false",
    "diff.context=0",
    "diff.external=false",
    "color.ui=always",
    "core.quotePath=false",
    "diff.submodule=log",
    "log.showSignature=true",
    "log.follow=true",
    "format.attach=x",
    "format.signature=mine",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_of_the_user(checkout: Checkout, changed: tuple[str, str], setting: str) -> None:
    """What a user prefers to see changes no answer."""
    root = checkout.path

    def ask() -> list[object]:
        return [
            list_file_changes(*changed, root=root),
            make_diff(*changed, root=root),
            make_patches(*changed, root=root),
            list_commits(LogRange(revisions=(changed[1],), limit=9, path="kept"), root=root),
        ]

    before = ask()
    checkout.git("config", *setting.split("=", 1))
    assert ask() == before


def test_the_first_commit(checkout: Checkout) -> None:
    """Without a base all is new, and its patch applies to nothing."""
    (first,) = checkout.git("rev-list", "--max-parents=0", "HEAD").split()
    changes = list_file_changes(None, first, root=checkout.path)
    listed = checkout.git("ls-tree", "-r", "--name-only", first).split("\n")
    assert [it.path for it in changes] == listed
    assert {it.status for it in changes} == {"A"}
    assert make_patches(None, first, root=checkout.path).startswith(f"From {first} ".encode())


def test_patches_apply(checkout: Checkout, changed: tuple[str, str]) -> None:
    """What is given as patches leads from one commit to the other."""
    patches = make_patches(*changed, root=checkout.path)
    checkout.git("switch", "--quiet", "--detach", changed[0])
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@b", "am", "--quiet"],
        cwd=checkout.path,
        input=patches,
        check=True,
        capture_output=True,
    )
    trees = checkout.git("rev-parse", "HEAD^{tree}", f"{changed[1]}^{{tree}}").split()
    assert trees[0] == trees[1]


def test_distances(checkout: Checkout) -> None:
    """Commits that share nothing have no place where they parted."""
    main = checkout.git("rev-parse", "HEAD")
    checkout.git("switch", "--quiet", "--orphan", "other")
    other = checkout.commit("Other")
    assert measure(main, main, root=checkout.path) == Distance(main, 0, 0)
    assert measure(main, other, root=checkout.path).merge_base is None


NAMES = [
    pytest.param("refs/heads/main", True, id="a branch"),
    pytest.param("HEAD", True, id="HEAD"),
    pytest.param("refs/tags/v1", True, id="an annotated tag"),
    pytest.param("refs/heads/nope", False, id="no branch"),
    pytest.param("main^{tree}", False, id="another object"),
    pytest.param("main~0", False, id="an expression"),
    pytest.param("main@{0}", False, id="the reflog"),
    pytest.param("main..main", False, id="a range"),
    pytest.param(":/First", False, id="a search"),
    pytest.param("-h", False, id="an option"),
    pytest.param("main\nmain", False, id="two lines"),
    pytest.param("", False, id="nothing"),
]


@pytest.mark.parametrize(("name", "is_there"), NAMES)
def test_names_of_commits(checkout: Checkout, name: str, is_there: bool) -> None:
    """A name is that of a ref or an id; nothing that Git would work out."""
    checkout.git("tag", "--annotate", "--message", "One", "v1")
    head = checkout.git("rev-parse", "HEAD")
    assert find_commit([name], root=checkout.path) == (head if is_there else None)
    assert find_commit([name, head[:10]], root=checkout.path) == head


def test_references(checkout: Checkout, tmp_path: Path) -> None:
    """Branches of `origin` count where the user has none of that name."""
    head = checkout.git("rev-parse", "HEAD")
    checkout.git("tag", "--annotate", "--message", "One\n\nMore.", "v1")
    checkout.git("update-ref", "refs/remotes/origin/far", head)
    checkout.git("update-ref", "refs/remotes/origin/main", head)
    checkout.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    ahead = checkout.commit("Ahead")
    found = {it.name: (it.short_name, it.object_type, it.commit) for it in _references(checkout)}
    assert found == {
        "refs/heads/far": ("far", "commit", head),
        "refs/heads/main": ("main", "commit", ahead),
        "refs/tags/v1": ("v1", "tag", head),
    }
    tag = read_tag(checkout.git("rev-parse", "v1"), root=checkout.path)
    assert tag is not None
    assert (tag.name, tag.target, tag.message) == ("v1", head, "One\n\nMore.")
    assert (tag.tagger_name, tag.tagger_email) == ("Mona Lisa", "1+mona@users.noreply.github.com")
    assert read_tag(head, root=checkout.path) is None


def _references(checkout: Checkout) -> list[Reference]:
    return list_references(root=checkout.path)


def test_commits(checkout: Checkout) -> None:
    """A commit is told of as it was made, in any encoding."""
    checkout.git("-c", "i18n.commitEncoding=latin1", "commit", "--allow-empty", "-m", "Größe")
    head = checkout.git("rev-parse", "HEAD")
    commit = read_commit(head, root=checkout.path)
    assert (commit.sha, commit.tree) == (head, checkout.git("rev-parse", "HEAD^{tree}"))
    assert commit.parents == (checkout.git("rev-parse", "HEAD^"),)
    assert commit.author.date == "2026-01-02T03:04:05+00:00"


def test_entries(checkout: Checkout) -> None:
    """Paths are taken as they are: no pattern, nothing that leads out."""
    checkout.write("a/*.txt", "star")
    checkout.write("a/b.txt", "b")
    head = checkout.commit()
    entry = find_entry(head, "a/*.txt", root=checkout.path)
    assert entry is not None
    assert (entry.kind, entry.size, entry.name) == ("blob", 4, "*.txt")
    for path in ("../x", "/etc", "a/", "a//b.txt", ".", ":(glob)a/*", "a/c"):
        assert find_entry(head, path, root=checkout.path) is None
    assert {it.path for it in list_entries(head, root=checkout.path, recursive=True)} >= {
        "a",
        "a/b.txt",
    }
    assert measure_object("0" * 40, root=checkout.path) is None


def test_submodule_urls(checkout: Checkout) -> None:
    """Where submodules come from is read from the commit, without users and passwords."""
    checkout.write(
        ".gitmodules",
        '[submodule "one.two"]\n\tpath = lib/one\n\turl = https://user:secret@example.com/o/r\n',
    )
    head = checkout.commit()
    found = read_submodule_urls(head, root=checkout.path)
    assert found == {"lib/one": "https://example.com/o/r"}
