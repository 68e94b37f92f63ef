"""What the jobs of a local run see in a sandbox of the folders that are hidden there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.git.folders import find_object_folders
from windlass.jobs.executors.sandbox_view import View
from windlass.stores.state_folder import BASES

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS: Final = ("node",)
"""Programs that Windlass itself runs in a job, which a user may have installed at home."""


def describe_view(root: Path, state: Path) -> View:
    """Return the view of jobs for a repository with its `.windlass`.

    All of the user's working tree is hidden, with what is in it that Git does not know. A job's own
    `.git` shares the objects of the user's; the content of a workspace may lie in a base.
    """
    return View(
        hidden=(root,), shown=(state / BASES, *find_object_folders(root), *_find_programs())
    )


def _find_programs() -> Iterator[Path]:
    """Yield the folders that programs are installed in: `bin/node` reads what lies beside `bin`."""
    for name in PROGRAMS:
        found = shutil.which(name)
        if found is not None:
            for path in {found, os.path.realpath(found)}:
                folder = Path(path).parent
                yield folder.parent if folder.name == "bin" else folder
