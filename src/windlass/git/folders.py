"""The folders Git keeps a repository in: where the user's are, and new ones of our own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from windlass.git.commands import decode, run
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SHA256_LENGTH = 64
BRANCH_PREFIX = "refs/heads/"
TAG_PREFIX = "refs/tags/"


@dataclass(frozen=True, slots=True)
class GitFolders:
    """Where the user's repository keeps what we read.

    `common` is `.git`, that of the main checkout for a linked worktree. `head_tree` is the id of
    the tree of HEAD.
    """

    index: Path
    objects: Path
    shallow: Path
    common: Path
    head_tree: str

    @property
    def is_wide(self) -> bool:
        """Whether ids are SHA-256."""
        return len(self.head_tree) == SHA256_LENGTH


class UserRepository:
    """What a job's `.git` takes from the user's repository: its ids of branches and tags too."""

    def __init__(self, root: Path, folders: GitFolders) -> None:
        """Take the working tree, and where its repository keeps its files."""
        self._root = root
        self.folders = folders

    @cached_property
    def refs(self) -> Mapping[str, str]:
        """The ids of branches and tags, by their full names; asked for once.

        Raises:
            GitError: git failed.
        """
        format_ = "--format=%(objectname) %(refname)"
        listing = run(["for-each-ref", format_, TAG_PREFIX, BRANCH_PREFIX], folder=self._root)
        lines = (line.partition(" ") for line in decode(listing).splitlines())
        return {name: sha for sha, _, name in lines}


def find_git_folders(root: Path) -> GitFolders:
    """Return where the repository of a working tree keeps its files.

    Raises:
        GitError: git is missing, this is no working tree, or HEAD has no commit.
    """
    paths = ["--git-path", "index", "--git-path", "objects", "--git-path", "shallow"]
    answer = run(["rev-parse", *paths, "--git-common-dir", "--verify", "HEAD^{tree}"], folder=root)
    index, objects, shallow, common, tree = decode(answer).splitlines()
    return GitFolders(
        index=(root / index).resolve(),
        objects=(root / objects).resolve(),
        shallow=(root / shallow).resolve(),
        common=(root / common).resolve(),
        head_tree=tree,
    )


def read_user_repository(root: Path) -> UserRepository:
    """Ask the repository of a working tree for what jobs take from it.

    Raises:
        GitError: git is missing or failed.
    """
    return UserRepository(root, find_git_folders(root))


def make_git_folder(
    folder: Path, alternates: Iterable[Path], *, bare: bool, wide: bool, settings: str = ""
) -> None:
    """Write the few files that make a repository: what `git init` does, without its templates.

    Objects are found in `alternates` too. `settings` is added to the configuration.
    """
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "objects/info/alternates").write_text(
        "".join(_quote_alternate(str(path)) for path in alternates),
        encoding="utf-8",
        errors="surrogateescape",
    )
    version = 1 if wide else 0
    config = f"[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n"
    config += f"\tbare = {'true' if bare else 'false'}\n"
    if not bare:
        config += "\tlogallrefupdates = true\n[gc]\n\tauto = 0\n"
    if wide:
        config += "[extensions]\n\tobjectformat = sha256\n"
    (folder / "config").write_text(config + settings, encoding="utf-8", errors="surrogateescape")
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")


def write_refs(folder: Path, refs: Mapping[str, str]) -> None:
    """Write all refs of a repository of our own to one file."""
    lines = "".join(f"{refs[name]} {name}\n" for name in sorted(refs))
    (folder / "packed-refs").write_text(
        "# pack-refs with: sorted \n" + lines, encoding="utf-8", errors="surrogateescape"
    )


def quote_setting(value: str) -> str:
    """Quote a value for Git's configuration file."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _quote_alternate(path: str) -> str:
    """Quote a path for `objects/info/alternates`: only one that starts with `"` or has breaks."""
    return (quote_setting(path) if path.startswith('"') or "\n" in path else path) + "\n"
