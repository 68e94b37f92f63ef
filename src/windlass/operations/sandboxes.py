"""What the jobs of a local run see in a sandbox of the folders that are hidden there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.git.folders import find_object_folders
from windlass.jobs.executors.sandbox_view import View
from windlass.stores.state_folder import BASES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NODE: Final = "node"


def describe_view(root: Path, state: Path, hidden: Sequence[Path] = ()) -> View:
    """Return the view of jobs for a repository with its `.windlass`.

    All of the user's working tree is hidden, with what is in it that Git does not know, and the
    folders `hidden`. A job's own `.git` shares the objects of the user's; the content of a
    workspace may lie in a base.
    """
    shown = (state / BASES, *find_object_folders(root), *_find_node())
    return View(hidden=(root, *hidden), shown=shown)


def _find_node() -> Iterator[Path]:
    """Yield the program that runs actions, which a user may have installed at home."""
    found = shutil.which(NODE)
    if found is not None:
        yield from (Path(found), Path(found).resolve())
