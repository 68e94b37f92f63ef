"""Serves a base without copying it: as the lower layer of an overlay file system.

The mount belongs to the job's own mount namespace and is gone with it. It needs privileges; where
they are missing, or the file system does not serve, nothing is changed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from windlass.jobs.workspaces.removal import remove_folder

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.jobs.executors.interface import Session
    from windlass.jobs.workspaces.bases import Base


def mount_base(base: Base, folder: Path, *, layers: Path, session: Session) -> bool:
    """Mount a base on an empty folder; what the job writes goes below `layers`.

    Returns False where that is not possible: the folder is not empty, a process stands in it (it
    would go on seeing the empty one), or the machine refused.
    """
    if os.listdir(folder) or _is_entered(folder):  # noqa: PTH208 - names are wanted
        return False
    if layers.exists():  # the folder is one already
        return False
    upper, work = layers / "upper", layers / "work"
    for layer in (upper, work):
        layer.mkdir(parents=True, exist_ok=True)
    upper.chmod(folder.stat().st_mode & 0o7777)
    if session.overlay(base.files, upper, work, folder):
        return True
    remove_folder(layers)
    return False


def _is_entered(folder: Path) -> bool:
    """Tell whether a process has a folder, or one in it, as its working directory."""
    path = os.path.realpath(folder)
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are wanted, not paths
        if name.isdigit():
            try:
                place = os.readlink(f"/proc/{name}/cwd")  # noqa: PTH115
            except OSError:
                continue
            if place == path or place.startswith(f"{path}/"):
                return True
    return False
