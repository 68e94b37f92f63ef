"""Repositories of a server on the same machine: its mirrors are read, and nothing is fetched.

    repositories/ID/repository/.git    refs as in the server's mirror, where the objects are too

What a job checks out shares objects with the mirror by Git's alternates, as it does with a copy of
the runner's own. The server removes no object from a mirror that a job may need.
"""

from __future__ import annotations

import fcntl
import shutil
from typing import TYPE_CHECKING, Final

from windlass.errors import GitError, InputError, WorkspaceError
from windlass.git.folders import (
    BRANCH_PREFIX,
    SHA256_LENGTH,
    TAG_PREFIX,
    GitFolders,
    UserRepository,
    add_alternate,
    detach_head,
    make_git_folder,
    read_alternates,
    read_refs,
    write_refs,
)
from windlass.git.kept_repositories import LOCK
from windlass.git.objects import ObjectReader
from windlass.jobs.source import Prepared
from windlass.runner.mirrors import NAME, NO_CLEANING, REPOSITORY
from windlass.runner.repository_upkeep import Use

if TYPE_CHECKING:
    from pathlib import Path

_HINT: Final = "The server may not have it any more; run what is pushed now."


class SharedMirror:
    """One repository of a server on this machine; several jobs may use it at once."""

    def __init__(self, repositories: Path, mirrors: Path, repository: str, sha: str) -> None:
        """Take the runner's folder of repositories, the server's of mirrors, and a job's commit.

        Raises:
            InputError: the server's id of the repository is none.
            WorkspaceError: nothing can be written.
        """
        if not NAME.fullmatch(repository):
            raise InputError(f"'{repository}' is not the id of a repository")
        self.state = repositories / repository
        self._mirror = mirrors.resolve() / f"{repository}.git"
        self._sha = sha
        # Nobody removes it as long as this lives.
        self._used = Use(self.state)
        try:
            self._make()
        except OSError as error:
            raise WorkspaceError(f"{self._store} cannot be made: {error.strerror}") from error

    @property
    def root(self) -> Path:
        """What stands for a user's working tree: nothing but its `.git`."""
        return self.state / REPOSITORY

    @property
    def _store(self) -> Path:
        return self.root / ".git"

    def update(self) -> Prepared:
        """Take over the branches and tags of the mirror, and find the commit.

        Raises:
            GitError: the mirror does not have the commit, or git failed.
            WorkspaceError: it cannot be read, or nothing be written.
        """
        tree = self._find_tree()
        try:
            refs = read_refs(self._mirror, BRANCH_PREFIX, TAG_PREFIX)
            with (self._store / LOCK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                write_refs(self._store, refs)
                detach_head(self._store, self._sha)
        except OSError as error:
            raise WorkspaceError(f"{self._store} cannot be used: {error.strerror}") from error
        folders = GitFolders(
            index=self._store / "index",
            objects=self._mirror / "objects",
            shallow=self._mirror / "shallow",
            common=self._store,
            head_tree=tree,
        )
        return Prepared(UserRepository(self.root, folders, refs), {self._sha: tree})

    def _find_tree(self) -> str:
        """Return the tree of the commit."""
        if not (self._mirror / "HEAD").exists():
            raise GitError(f"there is no mirror {self._mirror}", hint=_HINT)
        with ObjectReader(self._mirror) as objects:
            found = objects.find(f"{self._sha}^{{tree}}")
        if found is None:
            raise GitError(f"the commit {self._sha} is not in {self._mirror}", hint=_HINT)
        return found.id

    def _make(self) -> None:
        self.root.mkdir(mode=0o700, exist_ok=True)
        objects = self._mirror / "objects"
        with (self.state / LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self._store / "HEAD").exists():
                wide = len(self._sha) == SHA256_LENGTH
                make_git_folder(self._store, [objects], bare=True, wide=wide, settings=NO_CLEANING)
            elif objects not in read_alternates(self._store / "objects"):
                self._take_over(objects)

    def _take_over(self, objects: Path) -> None:
        """Make a copy that was fetched into one that shares objects; jobs may use it meanwhile."""
        for kind in ("heads", "tags"):
            # Loose refs would hide those of the mirror.
            shutil.rmtree(self._store / "refs" / kind)
            (self._store / "refs" / kind).mkdir()
        add_alternate(self._store / "objects", objects)
