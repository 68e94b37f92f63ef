"""A runner on the machine of its server reads the mirrors that are there, and fetches nothing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.pushed_repository import NOTHING, PushedRepository

from windlass.errors import GitError, InputError
from windlass.events.addresses import Allowance, read_location
from windlass.events.mirrors import Mirrors
from windlass.git.folders import find_object_folders
from windlass.git.job_git import make_job_git
from windlass.jobs.source import Source
from windlass.model.repository import Repository
from windlass.runner.shared_mirrors import SharedMirror

if TYPE_CHECKING:
    from pathlib import Path

ID = "1f"


class World:
    """A server's mirrors, and the runner's folder beside them."""

    def __init__(self, root: Path) -> None:
        self.pushed = PushedRepository(root)
        self.mirrors = Mirrors(root / "mirrors")
        self.repositories = root / "repositories"
        self.repositories.mkdir()
        self._root = root

    def push(self, branch: str = "main") -> str:
        """Push a commit that the server has fetched, and return it."""
        sha = self.pushed.push(branch=branch)[1]
        self.fetch()
        return sha

    def fetch(self) -> None:
        """Have the server fetch."""
        self.mirrors.fetch(ID, read_location(str(self.pushed.bare), Allowance([])))

    def share(self, sha: str) -> SharedMirror:
        """Return what a job of a commit gets."""
        return SharedMirror(self.repositories, self._root / "mirrors", ID, sha)

    def git(self, folder: Path, *words: str) -> str:
        """Ask a repository of the runner's or of a job."""
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True)
        return done.stdout.decode().strip()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def make_source(mirror: SharedMirror, sha: str) -> Source:
    facts = Repository(
        root=str(mirror.root),
        owner="octo",
        name="boat",
        head_sha=sha,
        base_sha=None,
        branch="main",
        tag=None,
        default_branch="main",
    )
    return Source(
        repository=facts,
        sha=sha,
        ref="refs/heads/main",
        state=mirror.state,
        committed_only=True,
        prepare=mirror.update,
    )


def test_a_checkout(world: World, tmp_path: Path) -> None:
    """It has the commit's files, all history, and the branches and tags of the mirror."""
    world.pushed.write("file", "1")
    world.pushed.git("tag", "-a", "-m", "One", "v1")
    world.pushed.git("push", "-q", str(world.pushed.bare), "v1")
    other, sha = world.push("feature"), world.push()
    mirror = world.share(sha)
    source = make_source(mirror, sha)
    tree = source.find_tree()
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    make_job_git(mirror.root, workspace, sha=sha, ref="refs/heads/main", user=source.user)

    assert tree == world.pushed.git("rev-parse", f"{sha}^{{tree}}")
    assert world.git(workspace, "rev-parse", "HEAD", "origin/feature").split() == [sha, other]
    assert world.git(workspace, "describe", "--all", "v1") == "tags/v1"
    assert int(world.git(workspace, "rev-list", "--count", "HEAD")) > 1
    assert world.git(mirror.root / ".git", "rev-parse", "HEAD", "feature").split() == [sha, other]
    assert (tmp_path / "mirrors" / f"{ID}.git" / "objects") in find_object_folders(mirror.root)


def test_nothing_is_copied(world: World) -> None:
    """Objects are in the server's mirror alone."""
    mirror = world.share(sha := world.push())
    mirror.update()
    assert sha in world.git(mirror.root / ".git", "rev-parse", "HEAD")
    objects = mirror.root / ".git" / "objects"
    assert [it.name for it in objects.rglob("*") if it.is_file()] == ["alternates"]


def test_branches_follow_the_mirror(world: World) -> None:
    """One that has moved does, one that was deleted is gone, packed or not."""
    mirror = world.share(first := world.push("feature"))
    mirror.update()
    world.git(world.mirrors.find(ID), "pack-refs", "--all")
    second = world.push("feature")
    assert dict(world.share(second).update().user.refs)["refs/heads/feature"] == second != first
    world.pushed.git("push", "-q", str(world.pushed.bare), ":feature")
    world.fetch()
    world.share(second).update()
    listed = world.git(mirror.root / ".git", "for-each-ref", "--format=%(refname)")
    assert listed == "refs/heads/main"


def test_a_copy_that_was_fetched_before(world: World) -> None:
    """It shares objects from then on, and keeps those that a running job may use."""
    old, sha = world.push("feature"), world.push()
    mirror = SharedMirror(world.repositories, world.repositories / "none", ID, old)
    store = mirror.root / ".git"
    world.git(store, "fetch", "-q", str(world.pushed.bare), "+refs/heads/*:refs/heads/*")
    alone = {path for path in (store / "objects").rglob("*") if path.is_file()}
    world.pushed.git("push", "-q", str(world.pushed.bare), ":feature")
    world.fetch()
    shared = world.share(sha)
    shared.update()

    assert world.git(store, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert {path for path in (store / "objects").rglob("*") if path.is_file()} >= alone
    before = (store / "objects/info/alternates").read_text()
    world.share(sha).update()
    assert (store / "objects/info/alternates").read_text() == before


def test_what_is_missing(world: World) -> None:
    """A commit or a mirror that is not there is named, and an id is no path."""
    sha = world.push()
    with pytest.raises(GitError, match=f"the commit {NOTHING} is not in"):
        world.share(NOTHING).update()
    world.mirrors.remove(ID)
    with pytest.raises(GitError, match="there is no mirror"):
        world.share(sha).update()
    with pytest.raises(InputError, match="is not the id of a repository"):
        SharedMirror(world.repositories, world.repositories, "../x", sha)
