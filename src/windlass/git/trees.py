"""Trees: the content of a commit or of the user's working tree, made without writing to it.

Everything new goes into a *shadow*: a bare repository in a scratch folder whose objects are added
to those of the user's repository by `objects/info/alternates`. The user's own repository is only
read: its index is copied before it is refreshed, and blobs of uncommitted files land in the shadow.
A shadow has no configuration of the user's, and what is written from it is written without any of
theirs, so that no filter, line-ending rule or hook of this machine changes what a job finds, as on
a fresh runner.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import GitError
from windlass.git.commands import ask, complain, decode, run, run_apart
from windlass.git.folders import find_git_folders, make_git_folder
from windlass.git.index import SUBMODULE
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from windlass.git.folders import GitFolders

PLAIN_INDEX = ("-c", "index.version=2", "-c", "index.sparse=false")
"""Settings for index files that are ours to read, whatever the user prefers."""

SCRATCH_PREFIX = "index-"
LONGEST_USE_SECONDS = 3600
"""After this time a scratch index belongs to nobody who is alive."""

ATTEMPTS = 3
_UNREADABLE_FOLDER = re.compile(r"could not open directory '([^'\n]*)'?(?:: (.*))?")
"""Git cuts off what it says after some 4,000 bytes."""

_LONGEST_SHOWN = 80
_UNREADABLE = re.compile(r"Permission denied|File name too long")
_CHANGED_MEANWHILE = re.compile(
    r"No such file or directory|short read|unable to stat|file changed|Not a directory"
)


def write_tree(
    root: Path, *, committed_only: bool, scratch: Path, folders: GitFolders | None = None
) -> str:
    """Return the id of the tree a job is to see; its new objects are in `scratch`.

    With `committed_only` that is the tree of HEAD, otherwise the same with the user's changes to
    tracked files and the untracked files that are not ignored. Files go through the user's clean
    filters, so that a Git LFS file is its pointer, as after GitHub's checkout.

    `scratch` may be used by several calls, also at once; it is made where it is missing. `folders`
    spares the question for them.

    Raises:
        GitError: a file or a folder cannot be read, files went on changing while they were read,
            or git failed.
    """
    found = folders or find_git_folders(root)
    make_shadow(found, scratch)
    if committed_only:
        return found.head_tree
    for attempt in range(ATTEMPTS):
        try:
            return _write_working_tree(root, found, scratch)
        except GitError as error:
            if not _CHANGED_MEANWHILE.search(error.message):
                raise _explain_unreadable(error) from error
            if attempt == ATTEMPTS - 1:
                raise GitError(
                    f"{root} cannot be read, since files go on changing: {error.message}",
                    hint="wait until nothing writes there, or leave such files to .gitignore",
                ) from error
    raise AssertionError  # the loop ends by return or raise


def find_tree_of(revision: str, root: Path) -> str | None:
    """Return the id of a commit's tree; None if the repository does not have the commit.

    Raises:
        GitError: git is missing.
    """
    question = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{tree}}"]
    answer = ask(question, folder=root).answer()
    return decode(answer.output).strip() if answer.code == 0 else None


def make_shadow(folders: GitFolders, scratch: Path) -> None:
    """Make the shadow of a repository, unless it is there; what killed processes left goes."""
    if not (scratch / "HEAD").exists():
        make_git_folder(scratch, [folders.objects], bare=True, wide=folders.is_wide)
        return
    sweep_scratch(scratch)


def sweep_scratch(scratch: Path) -> None:
    """Remove what killed processes left of scratch indexes in a repository of ours."""
    with os.scandir(scratch) as entries:
        for entry in entries:
            if not entry.name.startswith(SCRATCH_PREFIX):
                continue
            with contextlib.suppress(FileNotFoundError):
                if entry.stat().st_mtime < time.time() - LONGEST_USE_SECONDS:
                    _remove_scratch(Path(entry.path))


def _write_working_tree(root: Path, folders: GitFolders, scratch: Path) -> str:
    with scratch_index(scratch) as index:
        _copy_index(folders.index, index)
        variables = {"GIT_INDEX_FILE": str(index), "GIT_OBJECT_DIRECTORY": str(scratch / "objects")}
        add = ["-c", "advice.addEmbeddedRepo=false", "add", "--all", "--", "."]
        added = ask(add, folder=root, variables=variables).answer()
        if added.code != 0:
            raise complain(add, added)
        if folder := _UNREADABLE_FOLDER.search(added.complaint):  # no more than a warning to git
            raise _describe_unreadable(folder)
        return decode(run(["write-tree"], folder=root, variables=variables)).strip()


def _copy_index(source: Path, index: Path) -> None:
    """Copy an index file with its time.

    Git compares that time with those of files, to find the ones that changed within the second in
    which the index was written.
    """
    with contextlib.suppress(FileNotFoundError), source.open("rb") as reader:
        times = os.fstat(reader.fileno())
        index.write_bytes(reader.read())
        os.utime(index, ns=(times.st_atime_ns, times.st_mtime_ns))


def _describe_unreadable(folder: re.Match[str]) -> GitError:
    path, reason = folder.groups()
    shown = path if len(path) <= _LONGEST_SHOWN else f"{path[:_LONGEST_SHOWN]}…"
    reason = reason or os.strerror(errno.ENAMETOOLONG)
    return GitError(f"the folder '{shown}' cannot be read: {reason}")


def _explain_unreadable(error: GitError) -> GitError:
    if not _UNREADABLE.search(error.message):
        return error
    hint = "make it readable, or name it in .gitignore"
    return GitError(error.message, hint=hint)


FULL_DISK_BYTES = 1 << 20
"""With less room than this, a file that git could not write met a full disk."""


def materialise_tree(
    tree: str,
    destination: Path,
    *,
    scratch: Path,
    index: Path | None = None,
    settings: Iterable[str] = (),
) -> None:
    """Write a tree (or a commit's) to a folder; `scratch` is where `write_tree` left its objects.

    `destination` is made; it must be empty. Symbolic links, executable bits and file names in any
    bytes are kept; line endings follow the repository's `.gitattributes`; a submodule is an empty
    folder. `index` is where to leave git's index of the folder. `settings` are further ones for
    git, as `name=value`.

    Raises:
        GitError: the tree does not exist, or a file cannot be written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    more = [part for setting in settings for part in ("-c", setting)]
    with scratch_index(scratch) as scratched:
        variables = shadow_variables(scratch, index=scratched, work_tree=destination)
        command = [*PLAIN_INDEX, *more, "read-tree", "--reset", "-u", tree]
        try:
            run_apart(command, folder=destination, variables=variables)
        except GitError as error:
            raise _explain(error, destination) from error
        if index is not None:
            scratched.replace(index)


@dataclass(frozen=True, slots=True)
class Change:
    """What one path is in a new tree: its mode, 0 where it is gone, and the id of its content."""

    mode: int
    id: str
    name: bytes


def compare_trees(old: str, new: str, *, scratch: Path) -> list[Change]:
    """Return the paths that differ between two trees.

    Raises:
        GitError: one of them does not exist.
    """
    variables = {"GIT_DIR": str(scratch.resolve())}
    listing = run_apart(
        ["diff-tree", "-r", "-z", "--no-renames", "--no-ext-diff", old, new],
        folder=scratch,
        variables=variables,
    )
    fields = listing.split(b"\0")
    changes = []
    for facts, name in zip(fields[::2], fields[1::2], strict=False):
        _, mode, _, content, _ = facts.decode("ascii").split(" ")
        changes.append(Change(int(mode, 8), content, name))
    return changes


def write_changes(
    changes: Sequence[Change],
    destination: Path,
    *,
    scratch: Path,
    beside: Path,
    like: Path,
    index: Path,
) -> None:
    """Write the files of changes below a folder as `materialise_tree` would write them.

    `beside` is the folder whose `.gitattributes` hold for them. `like` is git's index of the tree
    that was changed; at `index` is left that of the new one, with the facts of the files that both
    have alike.

    Raises:
        GitError: a file cannot be written.
    """
    # What is gone goes first: it may be in the way of what comes.
    ordered = sorted(changes, key=lambda it: it.mode != 0)
    entries = b"".join(b"%o %s\t%s\0" % (it.mode, it.id.encode(), it.name) for it in ordered)
    written = b"".join(b"%s\0" % it.name for it in changes if it.mode not in (0, SUBMODULE))
    with scratch_index(scratch) as scratched:
        _copy_index(like, scratched)
        variables = shadow_variables(scratch, index=scratched, work_tree=beside)
        update = [*PLAIN_INDEX, "update-index", "-z", "--index-info"]
        write = ["checkout-index", "-z", "--stdin", f"--prefix={destination.resolve()}/"]
        try:
            run_apart(update, folder=beside, variables=variables, text=entries)
            if written:
                run_apart(write, folder=beside, variables=variables, text=written)
        except GitError as error:
            raise _explain(error, destination.parent) from error
        scratched.replace(index)


def make_index(tree: str, *, scratch: Path, like: Path) -> bytes:
    """Return the index of a tree, with the facts of files that another index has alike.

    Raises:
        GitError: the tree does not exist, or git failed.
    """
    with scratch_index(scratch) as index:
        _copy_index(like, index)
        variables = shadow_variables(scratch, index=index, work_tree=index.parent)
        run_apart(
            [*PLAIN_INDEX, "read-tree", "-i", "-m", tree], folder=scratch, variables=variables
        )
        return index.read_bytes()


def shadow_variables(scratch: Path, *, index: Path, work_tree: Path) -> Mapping[str, str]:
    """Return what makes git work on a folder with the shadow's objects and an index of its own."""
    return {
        "GIT_DIR": str(scratch.resolve()),
        "GIT_WORK_TREE": str(work_tree.resolve()),
        "GIT_INDEX_FILE": str(index),
    }


def _explain(error: GitError, folder: Path) -> GitError:
    """Add what git leaves out of "unable to write file": that the disk is full."""
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize >= FULL_DISK_BYTES:
        return error
    hint = "free some room, or run `windlass` where there is more"
    return GitError(f"{error.message}: No space left on device", hint=hint)


@contextlib.contextmanager
def scratch_index(scratch: Path) -> Iterator[Path]:
    """Yield the name of an index file of one's own; git makes it beside its lock."""
    folder = scratch.resolve() / f"{SCRATCH_PREFIX}{os.urandom(8).hex()}"
    folder.mkdir()
    try:
        yield folder / "index"
    finally:
        _remove_scratch(folder)


def _remove_scratch(folder: Path) -> None:
    """Remove a folder that holds an index, and whatever git left beside it."""
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
