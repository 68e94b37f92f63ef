"""Removing folders: of any depth, with whatever permissions, as fast as the disk lets us."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def remove_entry(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it; nothing if it is not there.

    Raises:
        OSError: it cannot be removed.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        remove_folder(path)


def remove_at_once(path: Path) -> None:
    """Remove what others may look for under its name: half of it never has that name.

    Raises:
        OSError: it cannot be removed.
    """
    aside = path.with_name(f"{path.name}.removed")
    remove_entry(aside)
    path.rename(aside)
    remove_entry(aside)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it; nothing if it is not there.

    Raises:
        OSError: it cannot be removed.
    """
    if not os.path.lexists(path):
        return
    # Imported where something is removed, which is seldom before the first step.
    import shutil

    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except (RecursionError, OSError) as error:
        # Deeper than Python goes, or without the permission to write: tools leave such caches.
        import subprocess

        if isinstance(error, PermissionError):
            _grant(path)
        done = subprocess.run(
            ["rm", "-rf", "--", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            check=False,
        )
        if done.returncode != 0:
            if isinstance(error, OSError):
                raise
            said = os.fsdecode(done.stderr).strip().rpartition(": ")[2]
            raise OSError(0, said or "it cannot be removed", str(path)) from error


def empty_folder(path: Path) -> None:
    """Make a folder, or empty the one that is there; whatever else is there goes.

    Raises:
        OSError: something cannot be removed.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        path.unlink()
    path.mkdir(parents=True, exist_ok=True)
    with os.scandir(path) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        remove_entry(path / name)


def _grant(path: Path) -> None:
    """Give ourselves the right to remove what is in a folder of ours and below."""
    todo = [os.fspath(path)]
    while todo:
        folder = todo.pop()
        mode = os.lstat(folder).st_mode
        if mode & stat.S_IRWXU != stat.S_IRWXU:
            os.chmod(folder, stat.S_IMODE(mode) | stat.S_IRWXU)  # noqa: PTH101
        with os.scandir(folder) as entries:
            todo += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
