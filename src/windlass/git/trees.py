"""Trees: the content of a commit or of the user's working tree, made without writing to it.

Everything new goes into a *shadow*: a bare repository in a scratch folder whose objects are added
to those of the user's repository by `objects/info/alternates`. The user's own repository is only
read: its index is copied before it is refreshed, and blobs of uncommitted files land in the shadow.
A shadow has no configuration of the user's, so that no filter, line-ending rule or hook of this
machine changes what a job finds, as on a fresh runner.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import GitError
from windlass.git.commands import ask, decode, run
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

SHA256_LENGTH = 64
BRANCH_PREFIX = "refs/heads/"
TAG_PREFIX = "refs/tags/"


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the user's repository keeps what we read."""

    index: Path
    objects: Path
    shallow: Path
    head_tree: str


def write_tree(root: Path, *, committed_only: bool, scratch: Path) -> str:
    """Return the id of the tree a job is to see; its new objects are in `scratch`.

    With `committed_only` that is the tree of HEAD, otherwise the same with the user's changes to
    tracked files and the untracked files that are not ignored. Files go through the user's clean
    filters, so that a Git LFS file is its pointer, as after GitHub's checkout.

    `scratch` may be used by several calls, also at once; it is made where it is missing.

    Raises:
        GitError: a file cannot be read, or git failed.
    """
    source = _find_source(root)
    _make_shadow(source, scratch)
    if committed_only:
        return source.head_tree
    with _scratch_index(scratch) as index:
        if source.index.exists():
            shutil.copyfile(source.index, index)
        variables = {"GIT_INDEX_FILE": str(index), "GIT_OBJECT_DIRECTORY": str(scratch / "objects")}
        run(
            ["-c", "advice.addEmbeddedRepo=false", "add", "--all", "--", "."],
            folder=root,
            variables=variables,
        )
        return decode(run(["write-tree"], folder=root, variables=variables)).strip()


FULL_DISK_BYTES = 1 << 20
"""With less room than this, a file that git could not write met a full disk."""


def materialise_tree(tree: str, destination: Path, *, scratch: Path) -> None:
    """Write a tree (or a commit's) to a folder; `scratch` is where `write_tree` left its objects.

    `destination` is made; it must be empty. Symbolic links, executable bits and file names in any
    bytes are kept; line endings follow the repository's `.gitattributes`; a submodule is an empty
    folder.

    Raises:
        GitError: the tree does not exist, or a file cannot be written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    with _scratch_index(scratch) as index:
        variables = {
            "GIT_DIR": str(scratch.resolve()),
            "GIT_WORK_TREE": str(destination.resolve()),
            "GIT_INDEX_FILE": str(index),
        }
        try:
            run(["read-tree", "--reset", "-u", tree], folder=destination, variables=variables)
        except GitError as error:
            raise _explain(error, destination) from error


def _explain(error: GitError, folder: Path) -> GitError:
    """Add what git leaves out of "unable to write file": that the disk is full."""
    if shutil.disk_usage(folder).free >= FULL_DISK_BYTES:
        return error
    hint = "free some room, or run `windlass` where there is more"
    return GitError(f"{error.message}: No space left on device", hint=hint)


def make_job_git(
    root: Path, workspace: Path, *, sha: str, ref: str, origin: str | None = None
) -> None:
    """Give a workspace its own `.git`, as GitHub's checkout leaves it, but with full history.

    HEAD is at `sha`: on the branch of that name where `ref` is a branch, detached otherwise. Tags
    are those of the user's repository, its branches are `refs/remotes/origin/*`, `origin` is the
    URL of the remote of that name. Objects are shared by alternates: what the job commits or tags
    stays in the workspace. The index is that of `sha`, refreshed, so `git status` shows what the
    workspace has beyond the commit.

    Raises:
        GitError: `sha` is not in the repository, or git failed.
    """
    source = _find_source(root)
    listing = ask(
        ["for-each-ref", "--format=%(objectname) %(refname)", TAG_PREFIX, BRANCH_PREFIX],
        folder=root,
    )
    folder = workspace / ".git"
    _make_git_folder(folder, source.objects, bare=False, wide=len(sha) == SHA256_LENGTH)
    if source.shallow.exists():
        shutil.copyfile(source.shallow, folder / "shallow")
    if origin is not None:
        _add_origin(folder, origin)
    refs = _move_branches(decode(listing.output()))
    _write_head(folder, refs, sha, ref)
    variables = {"GIT_DIR": str(folder), "GIT_WORK_TREE": str(workspace)}
    run(["read-tree", sha], folder=workspace, variables=variables)
    refreshed = ask(
        ["update-index", "-q", "--refresh"], folder=workspace, variables=variables
    ).answer()
    if refreshed.code not in (0, 1):  # 1: there are changes, which is no failure
        raise GitError(f"git update-index failed: {refreshed.complaint}")


def _find_source(root: Path) -> _Source:
    paths = ["--git-path", "index", "--git-path", "objects", "--git-path", "shallow"]
    answer = run(["rev-parse", *paths, "--verify", "HEAD^{tree}"], folder=root)
    index, objects, shallow, tree = decode(answer).splitlines()
    return _Source(
        (root / index).resolve(), (root / objects).resolve(), (root / shallow).resolve(), tree
    )


def _make_shadow(source: _Source, scratch: Path) -> None:
    if not (scratch / "HEAD").exists():
        wide = len(source.head_tree) == SHA256_LENGTH
        _make_git_folder(scratch, source.objects, bare=True, wide=wide)


def _make_git_folder(folder: Path, alternate: Path, *, bare: bool, wide: bool) -> None:
    """Write the few files that make a repository: what `git init` does, without its templates."""
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "objects/info/alternates").write_text(
        _quote_alternate(str(alternate)), encoding="utf-8", errors="surrogateescape"
    )
    version = 1 if wide else 0
    config = f"[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n"
    config += f"\tbare = {'true' if bare else 'false'}\n"
    if not bare:
        config += "\tlogallrefupdates = true\n[gc]\n\tauto = 0\n"
    if wide:
        config += "[extensions]\n\tobjectformat = sha256\n"
    (folder / "config").write_text(config, encoding="utf-8")
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")


def _quote_alternate(path: str) -> str:
    """Quote a path for `objects/info/alternates`: only one that starts with `"` or has breaks."""
    if path.startswith('"') or "\n" in path:
        escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        path = f'"{escaped}"'
    return path + "\n"


def _add_origin(folder: Path, url: str) -> None:
    escaped = url.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    with (folder / "config").open("a", encoding="utf-8", errors="surrogateescape") as config:
        config.write(f'[remote "origin"]\n\turl = "{escaped}"\n')
        config.write("\tfetch = +refs/heads/*:refs/remotes/origin/*\n")


def _move_branches(listing: str) -> dict[str, str]:
    """Turn `sha ref` lines into refs, with branches as those of the remote `origin`."""
    refs: dict[str, str] = {}
    for line in listing.splitlines():
        sha, _, name = line.partition(" ")
        if name.startswith(BRANCH_PREFIX):
            name = f"refs/remotes/origin/{name.removeprefix(BRANCH_PREFIX)}"
        refs[name] = sha
    return refs


def _write_head(folder: Path, refs: dict[str, str], sha: str, ref: str) -> None:
    head = sha
    if ref.startswith(BRANCH_PREFIX):
        head = f"ref: {ref}"
        refs[ref] = sha
        refs[f"refs/remotes/origin/{ref.removeprefix(BRANCH_PREFIX)}"] = sha
    elif ref.startswith("refs/pull/"):
        refs[f"refs/remotes/{ref.removeprefix('refs/')}"] = sha
    (folder / "HEAD").write_text(f"{head}\n", encoding="utf-8", errors="surrogateescape")
    lines = "".join(f"{refs[name]} {name}\n" for name in sorted(refs))
    (folder / "packed-refs").write_text(
        "# pack-refs with: sorted \n" + lines, encoding="utf-8", errors="surrogateescape"
    )


@contextlib.contextmanager
def _scratch_index(scratch: Path) -> Iterator[Path]:
    """Yield the name of an index file of one's own; git makes it beside its lock."""
    with tempfile.TemporaryDirectory(prefix="index-", dir=scratch) as folder:
        yield Path(folder).resolve() / "index"
