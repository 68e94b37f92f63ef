"""The facts of real checkouts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from windlass.errors import GitError, InputError
from windlass.git.repository import read_repository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.git.conftest import Checkout


def test_a_branch(checkout: Checkout) -> None:
    """The head commit's facts are those git shows."""
    checkout.write("b.txt")
    head = checkout.commit("Second\n\nMore.")
    found = read_repository(checkout.path)

    assert found.root == str(checkout.path)
    assert (found.head_sha, found.base_sha) == (head, checkout.git("rev-parse", "HEAD^"))
    assert (found.branch, found.tag, found.default_branch) == ("main", None, "main")
    assert (found.owner, found.name) == ("local", "app")
    assert found.commit_message == "Second\n\nMore."
    assert found.commit_timestamp == "2026-01-02T03:04:05+00:00"
    assert (found.author_name, found.author_email) == (
        "Mona Lisa",
        "1+mona@users.noreply.github.com",
    )
    assert (found.changed_files, found.added_files) == (("b.txt",), ("b.txt",))


def test_the_first_commit(checkout: Checkout) -> None:
    """It has no base, and all its files are new."""
    found = read_repository(checkout.path)

    assert (found.base_sha, found.changed_files) == (None, ("a.txt",))


def test_changes_of_every_kind(checkout: Checkout) -> None:
    """Renames are a removed and an added file; names may be of any bytes."""
    names = ["d/with space", "new\nline", 'quote"d', "tab\t", "ü"]
    for name in [*names, "gone"]:
        checkout.write(name, f"{name}\n")
    (checkout.path / os.fsdecode(b"latin-\xe9")).write_text("x")
    checkout.commit()
    checkout.git("mv", "a.txt", "z.txt")
    checkout.git("rm", "--quiet", "gone")
    for name in names:
        checkout.write(name, "changed\n")
    (checkout.path / os.fsdecode(b"latin-\xe9")).write_text("y")
    checkout.commit()
    found = read_repository(checkout.path)

    assert set(found.changed_files or ()) == {*names, "a.txt", "gone", "z.txt", "latin-\udce9"}
    assert found.added_files == ("z.txt",)
    assert set(found.removed_files) == {"a.txt", "gone"}


def test_a_subfolder_is_in_the_checkout(checkout: Checkout) -> None:
    """Any folder within finds the root."""
    checkout.write("deep/er/file")

    assert read_repository(checkout.path / "deep" / "er").root == str(checkout.path)


@pytest.mark.parametrize(
    ("url", "owner", "name", "server"),
    [
        ("https://github.com/octo/app.git", "octo", "app", "https://github.com"),
        ("git@git.example.com:octo/web.git", "octo", "web", "https://git.example.com"),
        ("/srv/elsewhere.git", "local", "app", "https://github.com"),
    ],
)
def test_remotes(checkout: Checkout, url: str, owner: str, name: str, server: str) -> None:
    """Owner, name and server are those of `origin`; without one the folder names it."""
    checkout.git("remote", "add", "origin", url)
    found = read_repository(checkout.path)

    assert (found.owner, found.name, found.server_url) == (owner, name, server)


def test_detached_head(checkout: Checkout) -> None:
    """Without a branch there is none; a tag at the commit is known."""
    checkout.git("tag", "--annotate", "--message", "x", "v1.0")
    checkout.git("checkout", "--quiet", "--detach")
    found = read_repository(checkout.path)

    assert (found.branch, found.tag, found.ref) == (None, "v1.0", "refs/tags/v1.0")


def test_the_remote_says_which_branch_is_the_default(checkout: Checkout, tmp_path: Path) -> None:
    """`origin/HEAD` counts, whatever the branches are called."""
    checkout.git("branch", "--move", "main", "trunk")
    clone = tmp_path / "clone"
    checkout.git("clone", "--quiet", str(checkout.path), str(clone))

    assert read_repository(clone).default_branch == "trunk"


def test_without_a_usual_branch_the_current_one_is_the_default(checkout: Checkout) -> None:
    """Neither a remote nor main or master: the branch that is checked out."""
    checkout.git("branch", "--move", "main", "only")

    assert read_repository(checkout.path).default_branch == "only"


def test_a_pull_request_is_compared_with_where_it_left(checkout: Checkout) -> None:
    """All commits since the default branch count, and none of those made there since."""
    base = checkout.git("rev-parse", "HEAD")
    checkout.git("checkout", "--quiet", "-b", "feature")
    for name in ("one", "two"):
        checkout.write(name)
        checkout.commit()
    checkout.git("checkout", "--quiet", "main")
    checkout.write("elsewhere")
    checkout.commit()
    checkout.git("checkout", "--quiet", "feature")
    found = read_repository(checkout.path, against="default-branch")

    assert (found.base_sha, found.changed_files) == (base, ("one", "two"))
    assert read_repository(checkout.path).changed_files == ("two",)


def test_a_head_that_is_not_ahead_is_compared_with_its_parent(checkout: Checkout) -> None:
    """On the default branch itself a pull request has the changes of the last commit."""
    checkout.write("b")
    checkout.commit()

    assert read_repository(checkout.path, against="default-branch").changed_files == ("b",)


def test_a_base_can_be_named(checkout: Checkout) -> None:
    """`base` is any revision; one that does not exist is an input error."""
    checkout.git("tag", "start")
    for name in ("one", "two"):
        checkout.write(name)
        checkout.commit()

    assert read_repository(checkout.path, base="start").changed_files == ("one", "two")
    with pytest.raises(InputError, match="'nowhere' names no commit"):
        read_repository(checkout.path, base="nowhere")
    with pytest.raises(InputError, match="'--output=x' names no commit"):
        read_repository(checkout.path, base="--output=x")


def test_a_worktree(checkout: Checkout, tmp_path: Path) -> None:
    """A linked worktree is a checkout of its own."""
    place = tmp_path / "tree"
    checkout.git("worktree", "add", "--quiet", "-b", "side", str(place))
    found = read_repository(place)

    assert (found.root, found.branch) == (str(place), "side")


def test_a_submodule(checkout: Checkout, tmp_path: Path) -> None:
    """The folder of a submodule is the checkout of that repository."""
    outer = tmp_path / "outer"
    outer.mkdir()
    other = type(checkout)(outer)
    other.git("init", "--quiet", "--initial-branch", "main")
    other.git("submodule", "--quiet", "add", str(checkout.path), "inner")
    other.commit()

    assert read_repository(outer / "inner").head_sha == checkout.git("rev-parse", "HEAD")


def test_a_shallow_clone_cannot_say_what_changed(checkout: Checkout, tmp_path: Path) -> None:
    """Where history ends at the head, changed files are not known rather than all or none."""
    checkout.write("b")
    checkout.commit()
    clone = tmp_path / "clone"
    checkout.git("clone", "--quiet", "--depth", "1", f"file://{checkout.path}", str(clone))

    assert read_repository(clone).changed_files is None


def test_a_repository_without_commits(tmp_path: Path) -> None:
    """There is no commit an event could be about."""
    place = tmp_path / "empty"
    place.mkdir()
    from tests.integration.git.conftest import Checkout

    Checkout(place).git("init", "--quiet")
    with pytest.raises(InputError, match="has no commits yet"):
        read_repository(place)


def test_a_bare_repository(checkout: Checkout, tmp_path: Path) -> None:
    """A repository without working tree is refused by that name."""
    checkout.git("clone", "--quiet", "--bare", str(checkout.path), str(tmp_path / "bare"))
    with pytest.raises(InputError, match="is a bare repository"):
        read_repository(tmp_path / "bare")


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder outside of any checkout is refused, as is one that does not exist."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(InputError, match="is not in a Git repository"):
        read_repository(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        read_repository(tmp_path / "missing")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_of_somebody_else(checkout: Checkout) -> None:
    """Git refuses what belongs to another user; the hint says how to trust it."""
    for path in [checkout.path, *checkout.path.rglob("*")]:
        os.chown(path, 12345, 12345)
    with pytest.raises(InputError, match="belongs to another user") as caught:
        read_repository(checkout.path)

    assert "safe.directory" in (caught.value.hint or "")


def test_no_git(checkout: Checkout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without git on PATH the error says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed"):
        read_repository(checkout.path)


def test_a_git_hooks_variables_are_ignored(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Within a git hook, GIT_DIR points elsewhere; the folder that was named counts."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))

    assert read_repository(checkout.path).branch == "main"


def test_odd_settings_of_the_user_change_nothing(checkout: Checkout) -> None:
    """Colours, signatures, formats and renames of the user's configuration are not seen."""
    for setting in ("color.ui=always", "log.showSignature=true", "format.pretty=oneline"):
        checkout.git("config", *setting.split("=", 1))
    checkout.git("config", "log.decorate", "no")
    checkout.git("config", "status.branch", "true")
    checkout.git("config", "diff.renames", "copies")
    found = read_repository(checkout.path)

    assert (found.branch, found.changed_files) == ("main", ("a.txt",))
