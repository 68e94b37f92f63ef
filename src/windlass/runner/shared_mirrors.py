"""Repositories of a server on the same machine: its mirrors are read, and nothing is fetched.

What a job checks out shares objects with the mirror by Git's alternates, as it does with a copy of
the runner's own. The server removes no object from a mirror that a job may need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.errors import GitError
from windlass.git.folders import (
    BRANCH_PREFIX,
    TAG_PREFIX,
    GitFolders,
    UserRepository,
    detach_head,
    read_refs,
    write_refs,
)
from windlass.git.objects import ObjectReader
from windlass.jobs.source import Prepared
from windlass.runner.repository_copies import RepositoryCopy

if TYPE_CHECKING:
    from pathlib import Path

_HINT: Final = "The server may not have it any more; run what is pushed now."


class SharedMirror(RepositoryCopy):
    """A copy that shares its objects with the mirror of a server on this machine."""

    def __init__(self, repositories: Path, mirrors: Path, repository: str, sha: str) -> None:
        """Take the runner's folder of repositories, the server's of mirrors, and a job's commit.

        Raises:
            InputError: the server's id of the repository is none.
            WorkspaceError: nothing can be written.
        """
        self._mirror = mirrors.resolve() / f"{repository}.git"
        super().__init__(repositories, repository, sha, self._mirror / "objects")

    def update(self) -> Prepared:
        """Take over the branches and tags of the mirror, and find the commit.

        Raises:
            GitError: the mirror does not have the commit, or git failed.
            WorkspaceError: it cannot be read, or nothing be written.
        """
        tree = self._find_tree()
        with self.changing():
            refs = read_refs(self._mirror, BRANCH_PREFIX, TAG_PREFIX)
            write_refs(self.store, refs)
            detach_head(self.store, self.sha)
        folders = GitFolders(
            index=self.store / "index",
            objects=self._mirror / "objects",
            shallow=self._mirror / "shallow",
            common=self.store,
            head_tree=tree,
        )
        return Prepared(UserRepository(self.root, folders, refs), {self.sha: tree})

    def _find_tree(self) -> str:
        """Return the tree of the commit."""
        if not (self._mirror / "HEAD").exists():
            raise GitError(f"there is no mirror {self._mirror}", hint=_HINT)
        with ObjectReader(self._mirror) as objects:
            found = objects.find(f"{self.sha}^{{tree}}")
        if found is None:
            raise GitError(f"the commit {self.sha} is not in {self._mirror}", hint=_HINT)
        return found.id
