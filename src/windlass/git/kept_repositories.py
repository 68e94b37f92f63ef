"""The repositories of others that are kept in a folder of the user's, and their removal."""

from __future__ import annotations

import fcntl
import shutil
from typing import TYPE_CHECKING, Final

from windlass.errors import WorkspaceError
from windlass.listings import find_paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK: Final = "windlass-lock"
"""In a repository: whoever fetches into it holds the lock of this file."""


def list_kept(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield each repository as `owner/name`, and where it is kept."""
    for store in find_paths(folder, "*/*.git"):
        yield f"{store.parent.name}/{store.name.removesuffix('.git')}", store


def remove_kept(store: Path) -> bool:
    """Remove a repository unless somebody fetches into it; tell whether it is gone.

    Raises:
        WorkspaceError: it cannot be removed.
    """
    try:
        with (store / LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            # Half of it never has its name.
            aside = store.with_name(f"{store.name}.removed")
            shutil.rmtree(aside, ignore_errors=True)
            store.rename(aside)
        shutil.rmtree(aside)
    except OSError as error:
        raise WorkspaceError(f"{store} cannot be removed: {error.strerror}") from error
    return True
