"""Files that say by a lock that a process is there; the kernel lets go of it when that one dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def is_locked(path: Path) -> bool:
    """Tell whether a process has the lock."""
    lock = _open(path)
    if lock is None:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def wait_for_lock(path: Path) -> None:
    """Wait until no process has the lock."""
    lock = _open(path)
    if lock is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        finally:
            os.close(lock)


@contextlib.contextmanager
def holding_lock(path: Path) -> Iterator[int]:
    """Wait for the lock of a file, which is made where there is none, and hold it.

    Gives the descriptor: whoever is passed it holds the lock as well.
    """
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _open(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
