"""Reads files in whose place a job's processes may have put anything: bounded, without waiting."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class UnusableFileError(Exception):
    """Something that is no file we would read; holds the reason."""


class FolderError(UnusableFileError):
    """It is a folder."""


def read_bounded(path: str | Path, limit: int, *, follow: bool = True) -> bytes | None:
    """Return a file's content, None where there is none. Never waits, as a FIFO would make us.

    Only where we `follow` may it be a symbolic link.

    Raises:
        UnusableFileError: it is not a file, or it is larger than `limit` bytes.
        OSError: the file system refused.
    """
    try:
        # Most command files are empty: that is all of it.
        facts = os.stat(path, follow_symlinks=follow)  # noqa: PTH116
        if stat.S_ISLNK(facts.st_mode):
            raise UnusableFileError(f"'{path}' is a symbolic link.")
        if stat.S_ISREG(facts.st_mode) and not facts.st_size:
            return b""
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags if follow else flags | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        facts = os.fstat(descriptor)
        if stat.S_ISDIR(facts.st_mode):
            raise FolderError(f"Access to the path '{path}' is denied: it is a folder.")
        if not stat.S_ISREG(facts.st_mode):
            raise UnusableFileError(f"'{path}' is not a regular file any more.")
        if facts.st_size > limit:
            raise UnusableFileError(
                f"The file is larger than {limit >> 10} KiB: {facts.st_size} bytes."
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise UnusableFileError(f"The file is larger than {limit >> 10} KiB.")
    return data
