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


def read_bounded(path: str | Path, limit: int) -> bytes | None:
    """Return a file's content, None where there is none. Never waits, as a FIFO would make us.

    Raises:
        UnusableFileError: it is not a file, or it is larger than `limit` bytes.
        OSError: the file system refused.
    """
    try:
        facts = os.stat(path)  # noqa: PTH116 - most command files are empty: that is all of it
        if stat.S_ISREG(facts.st_mode) and not facts.st_size:
            return b""
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
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
