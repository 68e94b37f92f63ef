"""Bases: the content of one tree on disk, written once and copied from ever after.

A base lies at `<folder>/<tree id>`. Nobody changes it once it has that name; while it is written it
has another, and a lock file lets one writer through, of whatever process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from windlass.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FICLONE = 0x40049409
"""Share a whole file's blocks with another file: ioctl_ficlone(2)."""


def provide_base(folder: Path, tree: str, write: Callable[[Path], None]) -> Path:
    """Return the base of a tree; `write` fills a new folder with the content if there is none yet.

    Raises:
        WorkspaceError: the base cannot be written.
    """
    base = folder / tree
    if base.is_dir():
        return base
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder / f"{tree}.lock"):
            if not base.is_dir():
                unfinished = folder / f"{tree}.unfinished"
                shutil.rmtree(unfinished, ignore_errors=True)
                write(unfinished)
                unfinished.rename(base)
    except OSError as error:
        raise WorkspaceError(
            f"The content of tree {tree} cannot be written to {folder}: {error.strerror}",
            hint="Check the permissions of the folder and the free space of its disk.",
        ) from error
    return base


def copy_base(base: Path, destination: Path) -> None:
    """Copy a base into a folder, over what is there; blocks are shared where the disk can.

    Raises:
        WorkspaceError: something cannot be written.
    """
    try:
        shutil.copytree(
            base, destination, symlinks=True, dirs_exist_ok=True, copy_function=_Copier()
        )
    except shutil.Error as error:
        source, target, reason = error.args[0][0]
        raise WorkspaceError(f"'{source}' cannot be copied to '{target}': {reason}") from error
    except OSError as error:
        raise WorkspaceError(
            f"'{error.filename}' cannot be copied to {destination}: {error.strerror}"
        ) from error


class _Copier:
    """Copies files with their modes and times; learns whether the disk can share blocks."""

    def __init__(self) -> None:
        self._shares = True

    def __call__(self, source: str, target: str) -> str:
        if not (self._shares and self._share(source, target)):
            shutil.copyfile(source, target, follow_symlinks=False)
        shutil.copystat(source, target, follow_symlinks=False)
        return target

    def _share(self, source: str, target: str) -> bool:
        with open(source, "rb") as reader, open(target, "wb") as writer:  # noqa: PTH123
            try:
                fcntl.ioctl(writer, FICLONE, reader.fileno())
            except OSError:
                self._shares = False
        return self._shares


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock file's lock; it is left by whoever dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
