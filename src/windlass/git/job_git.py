"""The `.git` of a job: its own refs, index and configuration over the user's objects."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from windlass.errors import GitError
from windlass.git.commands import NO_CONFIGURATION, ask, run
from windlass.git.folders import (
    BRANCH_PREFIX,
    SHA256_LENGTH,
    make_git_folder,
    quote_setting,
    read_user_repository,
    write_refs,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
        settings=describe_origin(origin)
        + (sparse.settings if sparse else "")
        + "".join(_describe_submodule(module) for module in submodules if not module.git_parent),
    )
    if known.folders.shallow.exists():
        (folder / "shallow").write_bytes(known.folders.shallow.read_bytes())
    refs = _move_branches(known.refs)
    head = _point_head(refs, sha, ref)
    (folder / "HEAD").write_text(f"{head}\n", encoding="utf-8", errors="surrogateescape")
    write_refs(folder, refs)
    if index is None:
        _make_index(folder, workspace, sha)
    elif index:
        (folder / "index").write_bytes(index)


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
