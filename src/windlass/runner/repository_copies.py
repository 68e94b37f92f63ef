"""What a runner has of a repository: a copy of its own, or one that shares a server's objects.

repositories/ID/repository/.git    branches and tags, as they were last taken over
repositories/ID                    beside it what a local run keeps in `.windlass`
"""

from __future__ import annotations

import contextlib
import re
import shutil
from typing import TYPE_CHECKING, Final

from windlass.errors import InputError, WorkspaceError
from windlass.git.folders import SHA256_LENGTH, add_alternate, make_git_folder, read_alternates
from windlass.git.kept_repositories import LOCK
from windlass.runner.repository_upkeep import Use
from windlass.stores.locks import holding_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPOSITORY: Final = "repository"
STORE: Final = f"{REPOSITORY}/.git"
"""Where the refs and objects of a repository are, below its folder."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NO_CLEANING: Final = "[gc]\n\tauto = 0\n"
"""Commits that no branch leads to any more may be those of a job."""


class RepositoryCopy:
    """One repository as this runner has it; several jobs may use it at once."""

    def __init__(
        self, repositories: Path, repository: str, sha: str, shared: Path | None = None
    ) -> None:
        """Make a copy for a job's commit, where there is none; nobody removes it while this lives.

        Its folder lies in that of all repositories. Objects of the folder `shared` are used as if
        they were its own.

        Raises:
            InputError: the server's id of the repository is none.
            WorkspaceError: nothing can be written.
        """
        if not _NAME.fullmatch(repository):
            raise InputError(f"'{repository}' is not the id of a repository")
        self.state = repositories / repository
        self.root = self.state / REPOSITORY
        """What stands for a user's working tree: nothing but its `.git`."""
        self.store = self.root / ".git"
        self.sha = sha
        self._used = Use(self.state)
        try:
            self.root.mkdir(mode=0o700, exist_ok=True)
            with holding_lock(self.state / LOCK):
                self._make(shared)
        except OSError as error:
            raise WorkspaceError(f"{self.store} cannot be made: {error.strerror}") from error

    @contextlib.contextmanager
    def changing(self) -> Iterator[int]:
        """Be the only one who changes it; gives the descriptor of the lock.

        Raises:
            WorkspaceError: it cannot be used.
        """
        try:
            with holding_lock(self.store / LOCK) as lock:
                yield lock
        except OSError as error:
            raise WorkspaceError(f"{self.store} cannot be used: {error.strerror}") from error

    def _make(self, shared: Path | None) -> None:
        if not (self.store / "HEAD").exists():
            wide = len(self.sha) == SHA256_LENGTH
            objects = () if shared is None else (shared,)
            make_git_folder(self.store, objects, bare=True, wide=wide, settings=_NO_CLEANING)
        elif shared is not None and shared not in read_alternates(self.store / "objects"):
            self._share(shared)

    def _share(self, objects: Path) -> None:
        """Make a copy that was fetched into one that shares objects; jobs may use it meanwhile."""
        for kind in ("heads", "tags"):
            # Loose refs would hide those that are taken over.
            shutil.rmtree(self.store / "refs" / kind)
            (self.store / "refs" / kind).mkdir()
        add_alternate(self.store / "objects", objects)
