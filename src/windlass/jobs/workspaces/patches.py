"""Patches: the few paths in which a tree differs from one that has a base."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Final

from windlass.git.index import SUBMODULE
from windlass.jobs.workspaces.removal import remove_entry
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from windlass.git.trees import Change

LIST: Final = "changes.json"
WRITTEN: Final = "written"
INDEX: Final = "0.index"


@dataclass(frozen=True, slots=True)
class Patch:
    """What to remove, which empty folders to make, and which files to put, found in `source`.

    All are paths from the root of the tree. What is put replaces whatever is there. `index` is
    git's index of the `tree` that comes of it; files that are put are unknown to that.
    """

    tree: str
    index: Path
    removed: tuple[str, ...]
    folders: tuple[str, ...]
    files: tuple[str, ...]
    source: Path


def write_patch(
    folder: Path, changes: Sequence[Change], write: Callable[[Path, Path], None]
) -> int:
    """Write a patch of these changes; `write` puts the files, and git's index of the new tree.

    Returns the bytes of files.
    """
    write(folder / WRITTEN, folder / INDEX)
    listing = {
        "removed": [os.fsdecode(change.name) for change in changes if change.mode == 0],
        "folders": [os.fsdecode(change.name) for change in changes if change.mode == SUBMODULE],
        "files": [os.fsdecode(it.name) for it in changes if it.mode not in (0, SUBMODULE)],
    }
    (folder / LIST).write_text(json.dumps(listing), encoding="ascii")
    return sum((folder / WRITTEN / name).lstat().st_size for name in listing["files"])


def read_patch(folder: Path, tree: str) -> Patch:
    """Read what `write_patch` wrote for a tree.

    Raises:
        OSError: it is not there any more.
    """
    listing = json.loads((folder / LIST).read_text(encoding="ascii"))
    return Patch(
        tree,
        folder / INDEX,
        tuple(listing["removed"]),
        tuple(listing["folders"]),
        tuple(listing["files"]),
        folder / WRITTEN,
    )


def apply_patch(patch: Patch, folder: Path) -> None:
    """Make a copy of the base what the tree is.

    Raises:
        OSError: something cannot be written.
    """
    for name in patch.removed:
        remove_entry(folder / name)
        _remove_empty_folders(folder, name)
    for name in patch.folders:
        _make_way(folder, name)
        remove_entry(folder / name)
        (folder / name).mkdir()
    for name in patch.files:
        _make_way(folder, name)
        remove_entry(folder / name)
        _copy(patch.source / name, folder / name)


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink():
        target.symlink_to(os.readlink(source))  # noqa: PTH115 - the text, whatever it is
        return
    mode = stat.S_IMODE(source.stat().st_mode)
    with source.open("rb") as reader:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as writer:
            while os.sendfile(writer.fileno(), reader.fileno(), None, 1 << 30):
                pass


def _make_way(folder: Path, name: str) -> None:
    """Make the folders above a path; a file in the way of one goes."""
    parent = folder
    for part in name.split("/")[:-1]:
        parent = parent / part
        if parent.is_symlink() or not parent.is_dir():
            remove_entry(parent)
            parent.mkdir()


def _remove_empty_folders(folder: Path, name: str) -> None:
    """Remove the folders above a path that hold nothing any more: Git knows none of them."""
    parent = name.rpartition("/")[0]
    while parent:
        try:
            (folder / parent).rmdir()
        except OSError:
            return
        parent = parent.rpartition("/")[0]
