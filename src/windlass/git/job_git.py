"""The `.git` of a job: its own refs, index and configuration over the user's objects."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from windlass.errors import GitError
from windlass.git.commands import NO_CONFIGURATION, ask, decode, run, run_apart
from windlass.git.folders import (
    BRANCH_PREFIX,
    SHA256_LENGTH,
    TAG_PREFIX,
    make_git_folder,
    quote_setting,
    read_user_repository,
    write_refs,
)
from windlass.git.trees import scratch_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from windlass.git.folders import UserRepository
    from windlass.git.sparse import Sparse
    from windlass.git.submodules import Submodule


def make_job_git(
    root: Path,
    workspace: Path,
    *,
    sha: str,
    ref: str,
    origin: str | None = None,
    user: UserRepository | None = None,
    index: bytes | None = None,
    sparse: Sparse | None = None,
    submodules: Sequence[Submodule] = (),
) -> None:
    """Give a workspace its own `.git`, as GitHub's checkout leaves it, but with full history.

    HEAD is at `sha`: on the branch of that name where `ref` is a branch, detached otherwise. Tags
    are those of the user's repository, its branches are `refs/remotes/origin/*`, `origin` is the
    URL of the remote of that name. Objects are shared by alternates: what the job commits or tags
    stays in the workspace. The index is that of `sha`, with the facts of the workspace's files, so
    `git status` shows what the workspace has beyond the commit; `index` spares the making of it,
    and an empty one says that it is there already. `sparse` tells what the workspace leaves out,
    `submodules` which are active in it.

    Raises:
        GitError: `sha` is not in the repository, or git failed.
    """
    known = user or read_user_repository(root)
    folder = workspace / ".git"
    make_git_folder(
        folder,
        [known.folders.objects],
        bare=False,
        wide=len(sha) == SHA256_LENGTH,
        settings=_describe_job(origin, ref, sparse)
        + "".join(_describe_submodule(module) for module in submodules if not module.git_parent),
    )
    if known.folders.shallow.exists():
        (folder / "shallow").write_bytes(known.folders.shallow.read_bytes())
    _write_head(folder, _move_branches(known.refs), sha, ref)
    if index is None:
        _make_index(folder, workspace, sha)
    elif index:
        (folder / "index").write_bytes(index)


def make_fetched_git(
    store: Path,
    workspace: Path,
    *,
    sha: str,
    ref: str,
    origin: str,
    index: bytes,
    sparse: Sparse | None = None,
    with_history: bool,
) -> None:
    """Give a workspace a `.git` with objects of its own, of a repository that was fetched.

    `store` is the bare repository with the commit. HEAD is at `sha`: on the branch where `ref` is
    one, detached otherwise. Without history there is that commit alone, as `fetch --depth=1` leaves
    it; with it all branches, as `refs/remotes/origin/*`, and all tags.

    Raises:
        GitError: git failed.
    """
    folder = workspace / ".git"
    wide = len(sha) == SHA256_LENGTH
    settings = _describe_job(origin, ref, sparse)
    make_git_folder(folder, [], bare=False, wide=wide, settings=settings)
    refs = _read_refs(store) if with_history else {}
    _copy_objects(store, {sha, *refs.values()}, folder / "objects/pack")
    if not with_history and _is_cut_off(sha, store):
        (folder / "shallow").write_text(f"{sha}\n", encoding="ascii")
    if ref.startswith(TAG_PREFIX):
        refs.setdefault(ref, sha)
    _write_head(folder, _move_branches(refs), sha, ref)
    (folder / "index").write_bytes(index)


def _copy_objects(store: Path, tips: Iterable[str], destination: Path) -> None:
    """Copy commits with all they are made of, as one pack.

    Git moves what it has written to its name, so it writes where the repository is.
    """
    wanted = "".join(f"{it}\n" for it in tips).encode("ascii")
    pack = ["pack-objects", "--revs", "--quiet", "--delta-base-offset"]
    with scratch_index(store) as index:
        run_apart([*pack, str(index.with_name("pack"))], folder=store, text=wanted)
        for file in index.parent.iterdir():
            shutil.copyfile(file, destination / file.name)


def _read_refs(store: Path) -> dict[str, str]:
    format_ = "--format=%(objectname) %(refname)"
    listing = run_apart(["for-each-ref", format_, TAG_PREFIX, BRANCH_PREFIX], folder=store)
    lines = (line.partition(" ") for line in decode(listing).splitlines())
    return {name: sha for sha, _, name in lines}


def _is_cut_off(sha: str, store: Path) -> bool:
    """Tell whether a commit has parents: its history is left out."""
    raw = run_apart(["cat-file", "commit", sha], folder=store)
    return raw.partition(b"\n\n")[0].count(b"\nparent ") > 0


def _write_head(folder: Path, refs: dict[str, str], sha: str, ref: str) -> None:
    """Write the refs, that which was checked out among them, and HEAD."""
    head = _point_head(refs, sha, ref)
    (folder / "HEAD").write_text(f"{head}\n", encoding="utf-8", errors="surrogateescape")
    write_refs(folder, refs)


def make_submodule_git(
    module: Submodule, workspace: Path, *, index: bytes, submodules: Sequence[Submodule]
) -> None:
    """Give a submodule in a workspace its own `.git`, below that of the workspace.

    HEAD is detached at its commit; objects are shared with the user's. `submodules` are those of
    the whole checkout.
    """
    folder = workspace / ".git" / module.git_path
    place = workspace / module.path
    inner = [it for it in submodules if it.git_parent == module.git_path]
    settings = describe_origin(module.url or None)
    settings += f"[core]\n\tworktree = {quote_setting(os.path.relpath(place, folder))}\n"
    make_git_folder(
        folder,
        [module.objects],
        bare=False,
        wide=len(module.sha) == SHA256_LENGTH,
        settings=settings + "".join(_describe_submodule(it) for it in inner),
    )
    (folder / "HEAD").write_text(f"{module.sha}\n", encoding="ascii")
    (folder / "index").write_bytes(index)
    if (module.common / "shallow").exists():
        (folder / "shallow").write_bytes((module.common / "shallow").read_bytes())
    pointer = f"gitdir: {os.path.relpath(folder, place)}\n"
    (place / ".git").write_text(pointer, encoding="utf-8", errors="surrogateescape")


def _describe_submodule(module: Submodule) -> str:
    url = f"\turl = {quote_setting(module.url)}\n" if module.url else ""
    return f"[submodule {quote_setting(module.name)}]\n\tactive = true\n{url}"


def _make_index(folder: Path, workspace: Path, sha: str) -> None:
    variables = {"GIT_DIR": str(folder), "GIT_WORK_TREE": str(workspace), **NO_CONFIGURATION}
    run(["read-tree", sha], folder=workspace, variables=variables)
    refreshed = ask(
        ["update-index", "-q", "--refresh"], folder=workspace, variables=variables
    ).answer()
    if refreshed.code not in (0, 1):  # 1: there are changes, which is no failure
        raise GitError(f"git update-index failed: {refreshed.complaint}")


def describe_origin(url: str | None) -> str:
    """Return the lines of configuration for the remote `origin`; none without a URL."""
    if url is None:
        return ""
    fetch = "+refs/heads/*:refs/remotes/origin/*"
    return f'[remote "origin"]\n\turl = {quote_setting(url)}\n\tfetch = {fetch}\n'


def _describe_job(origin: str | None, ref: str, sparse: Sparse | None) -> str:
    """Return the configuration of a job's `.git` beyond what every repository has."""
    shared = describe_origin(origin) + _describe_branch(ref)
    return shared + (sparse.settings if sparse else "")


def _describe_branch(ref: str) -> str:
    """Return the lines of configuration that tell which branch of the remote a branch follows."""
    if not ref.startswith(BRANCH_PREFIX):
        return ""
    name = quote_setting(ref.removeprefix(BRANCH_PREFIX))
    return f"[branch {name}]\n\tremote = origin\n\tmerge = {quote_setting(ref)}\n"


def _move_branches(refs: Mapping[str, str]) -> dict[str, str]:
    """Return the refs with branches as those of the remote `origin`."""
    return {
        f"refs/remotes/origin/{name.removeprefix(BRANCH_PREFIX)}"
        if name.startswith(BRANCH_PREFIX)
        else name: sha
        for name, sha in refs.items()
    }


def _point_head(refs: dict[str, str], sha: str, ref: str) -> str:
    """Add the ref that was checked out and return what HEAD holds."""
    if ref.startswith(BRANCH_PREFIX):
        refs[ref] = sha
        refs[f"refs/remotes/origin/{ref.removeprefix(BRANCH_PREFIX)}"] = sha
        return f"ref: {ref}"
    if ref.startswith("refs/pull/"):
        refs[f"refs/remotes/{ref.removeprefix('refs/')}"] = sha
    return sha
