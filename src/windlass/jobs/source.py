"""What a checkout of the repository yields, shared by all jobs of a local run or of a runner."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from windlass.errors import PlatformError, WorkspaceError
from windlass.model.values import dataclass, field
from windlass.stores.state_folder import BASES, SHADOW, prepare_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.git.folders import UserRepository
    from windlass.git.submodules import Submodule
    from windlass.jobs.workspaces.bases import Bases, Content
    from windlass.jobs.workspaces.contents import Wish
    from windlass.model.repository import Repository

T = TypeVar("T")


def _tell_nobody(tree: str) -> None:
    """Take no notice."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known of a repository that was prepared: no git has to be asked for it.

    `trees` are those of commits, by their ids.
    """

    user: UserRepository
    trees: Mapping[str, str]


def _prepare_nothing() -> None:
    """Stand for a repository that is there as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The repository as one run sees it.

    `sha` and `ref` are the event's. `state` is the repository's `.windlass` folder; trees and bases
    are kept there. With `committed_only` uncommitted changes of the user are left out; they count
    only where the event's commit is the one that is checked out. `tree` is that of a run which is
    resumed or run again; `tell_tree` hears of one that is made. With `layered` a workspace may be
    an overlay, of which nothing is left after the job. `prepare` is called once before the
    repository is asked for anything: a runner fetches it then, and may say what it knows of it.
    """

    repository: Repository
    sha: str
    ref: str
    state: Path
    committed_only: bool = False
    tree: str | None = None
    tell_tree: Callable[[str], None] = _tell_nobody
    layered: bool = False
    prepare: Callable[[], Prepared | None] = _prepare_nothing
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _known: dict[str, object] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The repository's name without its owner."""
        return self.repository.name

    @property
    def root(self) -> Path:
        """The user's working tree, whose repository can be asked.

        Raises:
            GitError: it cannot be fetched.
        """
        self._once("prepared", self._prepare)
        return self.folder

    @property
    def folder(self) -> Path:
        """The same, although what it is to hold may not be there yet."""
        return Path(self.repository.root)

    @property
    def shadow(self) -> Path:
        """A bare repository of our own that holds the objects of uncommitted files."""
        return self.state / SHADOW

    @property
    def bases(self) -> Bases:
        """The content of trees, ready to be served."""
        from windlass.jobs.workspaces.bases import Bases

        return self._once("bases", lambda: Bases(self.state / BASES, self.shadow))

    @property
    def user(self) -> UserRepository:
        """What jobs take from the user's repository; asked for once.

        Raises:
            GitError: git is missing or failed.
        """
        from windlass.git.folders import read_user_repository

        root = self.root
        return self._once("user", lambda: read_user_repository(root))

    def prepare_state(self) -> None:
        """Make the state folder, which hides itself from Git.

        Raises:
            WorkspaceError: the folder cannot be made.
        """
        prepare_state(self.state)

    def begin(self, *, content: bool = False) -> None:
        """Begin with the tree of this run, which a job will ask for, and with its `content`.

        What goes wrong is told to the job that asks.
        """
        threading.Thread(target=self._find_early, args=(content,), name="tree").start()

    def _find_early(self, content: bool) -> None:  # noqa: FBT001 - a thread's arguments
        from windlass.jobs.workspaces.contents import Wish

        with contextlib.suppress(PlatformError, OSError):
            tree = self.find_tree()
            self.find_tree_of(self.sha)
            _ = self.user.refs
            if content:
                self.provide(Wish(tree=tree))

    def find_tree(self) -> str:
        """Return the tree of this run: it is made once, so that all jobs see the same.

        Raises:
            WorkspaceError: the state folder cannot be made.
            GitError: a file cannot be read, or git failed.
        """
        return self._once("tree", self._write_tree)

    def provide(self, wish: Wish) -> Content:
        """Return what a checkout is to hold; it is written if there is no base of it yet.

        Raises:
            GitError: something of it is not on this machine, or git failed.
            WorkspaceError: it cannot be written.
        """
        from windlass.jobs.workspaces.contents import write_content

        folders = self.user.folders
        return self.bases.provide(
            wish.tree,
            lambda folder: write_content(wish, folder, shadow=self.shadow, folders=folders),
            variant=wish.variant,
        )

    def list_submodules(self, tree: str, *, recursive: bool) -> tuple[Submodule, ...]:
        """Return the submodules of a tree, from what the user has of them.

        Raises:
            GitError: the user does not have one, or not its commit.
        """
        from windlass.git.submodules import list_submodules

        def ask() -> tuple[Submodule, ...]:
            common = self.user.folders.common
            return tuple(
                list_submodules(tree, self.root, common, scratch=self.shadow, recursive=recursive)
            )

        return self._once(f"submodules {recursive} {tree}", ask)

    def find_index(self, content: Content, part: int, tree: str) -> bytes:
        """Return git's index of a tree, with the facts of the base's files that it has alike.

        Raises:
            GitError: git failed.
            WorkspaceError: the base cannot be read.
        """
        name = f"index {content.base.key} {part} {tree}"
        return self._once(name, lambda: read_index(content, part, tree))

    def find_tree_of(self, sha: str) -> str | None:
        """Return the tree of a commit; None if the repository does not have it.

        Raises:
            GitError: git is missing.
        """
        from windlass.git.trees import find_tree_of

        root = self.root
        return self._once(f"tree of {sha}", lambda: find_tree_of(sha, root))

    def _prepare(self) -> None:
        prepared = self.prepare()
        if prepared is not None:
            self._known["user"] = prepared.user
            self._known.update((f"tree of {sha}", it) for sha, it in prepared.trees.items())

    def _write_tree(self) -> str:
        from windlass.git.trees import make_shadow, write_tree

        self.prepare_state()
        folders = self.user.folders
        committed = self.find_tree_of(self.repository.head_sha) if self.committed_only else None
        if self.tree is not None or committed is not None:
            make_shadow(folders, self.shadow)
            return self.tree or committed or ""
        tree = write_tree(self.root, committed_only=False, scratch=self.shadow, folders=folders)
        self.tell_tree(tree)
        return tree

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """Return what was made under a name; the first to ask makes it, the others wait."""
        with self._lock:
            if name not in self._known:
                self._known[name] = make()
            return cast("T", self._known[name])


def read_index(content: Content, part: int, tree: str) -> bytes:
    """Return git's index of a tree, with the facts of the base's files that it has alike.

    Raises:
        GitError: git failed.
        WorkspaceError: the base cannot be read.
    """
    from windlass.git.trees import make_index

    base, patch = content.base, content.patch
    path = base.parts[part].index
    if part == 0 and base.tree != tree:
        if patch is None or patch.tree != tree:
            return make_index(tree, scratch=base.shadow, like=path)
        path = patch.index
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be read: {error.strerror}") from error
