"""The folders Git keeps a repository in: where the user's are, and new ones of our own."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.git.commands import decode, run
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SHA256_LENGTH = 64
BRANCH_PREFIX = "refs/heads/"
TAG_PREFIX = "refs/tags/"

_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TRIES: Final = 5
_ALTERNATES: Final = "info/alternates"
_NO_MODULES: Final = ("objects", "refs", "logs", "hooks", "info", "lfs")
"""What lies in the repository of a submodule beside the repositories of its own submodules."""


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

    def __init__(
        self, root: Path, folders: GitFolders, refs: Mapping[str, str] | None = None
    ) -> None:
        """Take the working tree, and where its repository keeps its files; its refs if known."""
        self._root = root
        self.folders = folders
        if refs is not None:
            self.refs = refs

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
    """Write all refs of a repository of our own to one file, which is there whole or as before."""
    lines = "".join(f"{refs[name]} {name}\n" for name in sorted(refs))
    written = folder / f"packed-refs.{os.urandom(4).hex()}"
    written.write_text(
        "# pack-refs with: sorted \n" + lines, encoding="utf-8", errors="surrogateescape"
    )
    written.replace(folder / "packed-refs")


def detach_head(folder: Path, sha: str) -> None:
    """Have HEAD of a repository of our own be a commit, for whoever looks at any time.

    Raises:
        OSError: it cannot be written.
    """
    written = folder / f"HEAD.{os.urandom(4).hex()}"
    written.write_text(f"{sha}\n", encoding="ascii")
    written.replace(folder / "HEAD")


def write_ref(folder: Path, name: str, sha: str) -> None:
    """Write one ref of a repository of our own, as Git does, so that it is there after a crash too.

    The same ref may be written by several at once if they write the same.

    Raises:
        OSError: it cannot be written.
    """
    path, written = folder / name, folder / f"{os.urandom(8).hex()}.lock"
    for _ in range(_TRIES):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Either may go meanwhile: Git removes a folder whose refs it has packed, and whoever
        # fetches the locks that seem to be left over.
        with contextlib.suppress(FileNotFoundError):
            with written.open("w", encoding="ascii") as file:
                file.write(f"{sha}\n")
                file.flush()
                os.fsync(file.fileno())
            written.replace(path)
            return
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def read_refs(folder: Path, *prefixes: str) -> dict[str, str]:
    """Return the ids of refs of a repository of our own, by name; `prefixes` end with slashes.

    Loose refs are read before packed ones, as Git does: one that is packed meanwhile is in both.

    Raises:
        OSError: it cannot be read.
    """
    loose = dict(_read_loose(folder, prefixes))
    found = {}
    with contextlib.suppress(FileNotFoundError):
        packed = (folder / "packed-refs").read_text("utf-8", "surrogateescape")
        for line in packed.splitlines():
            sha, _, name = line.partition(" ")
            if name.startswith(prefixes) and line[0] not in "#^":
                found[name] = sha
    return {**found, **loose}


def _read_loose(folder: Path, prefixes: Iterable[str]) -> Iterator[tuple[str, str]]:
    for prefix in prefixes:
        for place, _, names in os.walk(folder / prefix):
            for name in names:
                path = Path(place, name)
                with contextlib.suppress(FileNotFoundError):
                    text = path.read_text("utf-8", "surrogateescape").strip()
                    if not name.endswith(".lock") and _ID.fullmatch(text):
                        yield path.relative_to(folder).as_posix(), text


def quote_setting(value: str) -> str:
    """Quote a value for Git's configuration file."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _quote_alternate(path: str) -> str:
    """Quote a path for `objects/info/alternates`: only one that starts with `"` or has breaks."""
    return (quote_setting(path) if path.startswith('"') or "\n" in path else path) + "\n"


def find_object_folders(root: Path) -> tuple[Path, ...]:
    """Return the folders with the objects of a working tree's repository and of its submodules.

    Git is not asked: they are where it puts them, and what is not there is left out. Source:
    gitrepository-layout(5)
    """
    common = _find_common(root / ".git")
    found = [common / "objects"]
    for folder, names, _ in os.walk(common / "modules"):
        if "objects" in names:
            found.append(Path(folder, "objects"))
        names[:] = [name for name in names if name not in _NO_MODULES]
    found += [path for it in found for path in read_alternates(it)]
    return tuple(path for path in found if path.is_dir())


def _find_common(git: Path) -> Path:
    """Follow the file `.git` of a linked worktree or a submodule to what it stands for."""
    if git.is_file():
        git = (git.parent / git.read_text("utf-8", "surrogateescape")[8:].rstrip("\n")).resolve()
    pointer = git / "commondir"
    if pointer.is_file():
        return (git / pointer.read_text("utf-8", "surrogateescape").rstrip("\n")).resolve()
    return git.resolve()


def read_alternates(objects: Path) -> Iterator[Path]:
    """Yield the folders that Git looks for objects in too, as far as they are not quoted."""
    listing = objects / _ALTERNATES
    if listing.is_file():
        for line in listing.read_text("utf-8", "surrogateescape").splitlines():
            if line and line[0] not in '#"':
                yield (objects / line).resolve()


def add_alternate(objects: Path, more: Path) -> None:
    """Have Git look for objects in another folder too.

    Raises:
        OSError: it cannot be written.
    """
    written = objects / f"{_ALTERNATES}.{os.urandom(4).hex()}"
    known = (objects / _ALTERNATES).read_bytes() if (objects / _ALTERNATES).exists() else b""
    written.write_bytes(known + os.fsencode(_quote_alternate(str(more))))
    written.replace(objects / _ALTERNATES)
