"""The folder of a checkout: where it is, and what of its content goes before it is filled.

Source: https://github.com/actions/checkout src/git-directory-helper.ts
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.git.index import SUBMODULE, GitIndex
from windlass.git.job_git import describe_origin
from windlass.jobs.checkout_inputs import CheckoutError
from windlass.jobs.links import leads_out
from windlass.jobs.workspaces.removal import empty_folder, remove_entry

if TYPE_CHECKING:
    from windlass.jobs.place import StepPlace


def find_folder(path: str, place: StepPlace) -> Path:
    """Return the folder that the input `path` names, as the job sees it.

    Raises:
        CheckoutError: it is not in the workspace, or leads out of the job's folder by a link.
    """
    workspace = place.folders.workspace
    folder = Path(os.path.normpath(workspace / path))
    if folder != workspace and workspace not in folder.parents:
        raise CheckoutError(f"Repository path '{folder}' is not under '{workspace}'")
    if leads_out(folder, place.folders.root, place.session):
        raise CheckoutError(f"Repository path '{folder}' leads out of the job's folder by a link")
    return folder


def prepare_folder(folder: Path, origin: str, *, clean: bool, wide: bool) -> None:
    """Empty a folder, unless it is a checkout of the same origin that is not to be cleaned.

    Of such a one the files that Git knows go: they are put anew. `wide` says that ids are SHA-256.

    Raises:
        OSError: something cannot be removed.
    """
    if clean or not _is_checkout_of(folder, origin):
        empty_folder(folder)
        return
    known = GitIndex((folder / ".git/index").read_bytes(), wide=wide)
    plain = {"": True}
    for entry in known.entries():
        name = os.fsdecode(entry.name)
        if entry.mode != SUBMODULE and _is_plain(folder, name.rpartition("/")[0], plain):
            remove_entry(folder / name)


def _is_plain(folder: Path, inner: str, known: dict[str, bool]) -> bool:
    """Tell whether a path leads to a folder within, and through no link that a step made."""
    if inner not in known:
        above, _, name = inner.rpartition("/")
        path = folder / inner
        known[inner] = (
            name not in ("", "..")
            and _is_plain(folder, above, known)
            and not path.is_symlink()
            and path.is_dir()
        )
    return known[inner]


def _is_checkout_of(folder: Path, origin: str) -> bool:
    """Tell whether a folder has a `.git` of its own that names an origin."""
    git = folder / ".git"
    if folder.is_symlink() or git.is_symlink() or not (git / "index").is_file():
        return False
    try:
        config = (git / "config").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return describe_origin(origin) in config
