"""What a checkout of the repository yields in a local run, shared by all jobs of the run."""

from __future__ import annotations

import threading
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import WorkspaceError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.model.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The repository as one run sees it.

    `sha` and `ref` are the event's. `state` is the repository's `.windlass` folder; trees and bases
    are kept there. With `committed_only` uncommitted changes of the user are left out; they count
    only where the event's commit is the one that is checked out.
    """

    repository: Repository
    sha: str
    ref: str
    state: Path
    committed_only: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _trees: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The repository's name without its owner."""
        return self.repository.name

    @property
    def root(self) -> Path:
        """The user's working tree."""
        return Path(self.repository.root)

    @property
    def shadow(self) -> Path:
        """A bare repository of our own that holds the objects of uncommitted files."""
        return self.state / "shadow"

    @property
    def bases(self) -> Path:
        """Where the content of trees lies ready to be copied."""
        return self.state / "bases"

    def prepare_state(self) -> None:
        """Make the state folder, which hides itself from Git.

        Raises:
            WorkspaceError: the folder cannot be made.
        """
        ignore = self.state / ".gitignore"
        try:
            # Scripts and command files hold secrets while a job runs: nobody else may look.
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise WorkspaceError(
                f"{self.state} cannot be made: {error.strerror}",
                hint="Windlass keeps what it needs for local runs there.",
            ) from error

    def find_tree(self) -> str:
        """Return the tree of this run: it is made once, so that all jobs see the same.

        Raises:
            WorkspaceError: the state folder cannot be made.
            GitError: a file cannot be read, or git failed.
        """
        from windlass.git.trees import write_tree

        with self._lock:
            self.prepare_state()
            if "tree" not in self._trees:
                self._trees["tree"] = write_tree(
                    self.root, committed_only=self.committed_only, scratch=self.shadow
                )
            return self._trees["tree"]
