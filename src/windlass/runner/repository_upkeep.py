"""Keeping small what a runner has of repositories: those of which no job was for long are removed.

repositories/ID/used    locked by whoever uses it, as long as that lives; its time is the last one
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Final

from windlass.errors import GitError, WorkspaceError
from windlass.git.packing import pack
from windlass.jobs.workspaces.bases import list_bases, remove_base
from windlass.stores.state_folder import BASES, prepare_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

UNUSED_SECONDS: Final = 30 * 86_400.0
MOST_BASES: Final = 20
"""So many trees stay ready to be checked out: those used last."""

FIRST_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 3600.0
_USED: Final = "used"
_REMOVED: Final = ".removed"
_log = logging.getLogger(__name__)


class Use:
    """That a repository is used: nobody removes its folder before this is closed, or gone."""

    def __init__(self, state: Path) -> None:
        """Make the folder where it is missing.

        Raises:
            WorkspaceError: it cannot be made.
        """
        self._descriptor = -1
        try:
            while self._descriptor < 0:
                self._descriptor = _open_used(state)
        except OSError as error:
            raise WorkspaceError(f"{state} cannot be used: {error.strerror}") from error

    def close(self) -> None:
        """Use it no longer."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        """Use it no longer, also where nobody said so."""
        self.close()


def _open_used(state: Path) -> int:
    """Return what is open as long as a repository is used; -1 where it has just been removed."""
    prepare_state(state)
    try:
        descriptor = os.open(state / _USED, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return -1
    with contextlib.suppress(FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        # Removing begins with a new name: what was opened may be on its way out.
        if os.path.samestat(os.fstat(descriptor), (state / _USED).stat()):
            os.utime(state / _USED)
            return descriptor
    os.close(descriptor)
    return -1


def tidy_repositories(repositories: Path, store: str, now: float) -> list[str]:
    """Remove repositories that were not used for long, and make others small that nobody uses.

    `store` is where each has its objects. Returns the ids of those that are removed. One that gives
    trouble does not keep others from being tidied.
    """
    removed = []
    for state in sorted(repositories.iterdir()) if repositories.is_dir() else ():
        try:
            if state.name.endswith(_REMOVED):
                shutil.rmtree(state, ignore_errors=True)
            elif not _is_used(state):
                if _remove_unused(state, now - UNUSED_SECONDS):
                    removed.append(state.name)
                else:
                    _shrink(state, state / store)
        except (OSError, GitError) as error:
            _log.warning("%s cannot be tidied: %s", state, error)
    return removed


@contextlib.contextmanager
def tidying(repositories: Path, store: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Tidy in a thread, soon and then every hour; `tell` hears what is removed."""
    ended = threading.Event()

    def go_on() -> None:
        pause = FIRST_SECONDS
        while not ended.wait(pause):
            pause = PAUSE_SECONDS
            for name in tidy_repositories(repositories, store, time.time()):
                tell(f"the copy of repository {name} is removed: no job has used it for long")

    threading.Thread(target=go_on, name="upkeep", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _is_used(state: Path) -> bool:
    with _held(state) as is_held:
        return not is_held


def _remove_unused(state: Path, before: float) -> bool:
    """Remove a repository that was used last before a moment; False where it was not."""
    aside = state.with_name(f"{state.name}.{os.urandom(4).hex()}{_REMOVED}")
    with _held(state) as is_held:
        if not is_held or (state / _USED).stat().st_mtime >= before:
            return False
        # Half of it never has its name.
        state.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)
    return True


@contextlib.contextmanager
def _held(state: Path) -> Iterator[bool]:
    """Keep others from a repository for a moment; False where somebody uses it.

    One that nobody has used since this is written down counts as used now.
    """
    with (state / _USED).open("ab") as used:
        try:
            fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _shrink(state: Path, store: Path) -> None:
    """Remove trees that were ready and are not asked for, and pack objects where it is time."""
    for key in list_bases(state / BASES)[MOST_BASES:]:
        remove_base(state / BASES, key)
    if (store / "HEAD").exists():
        # Nothing is taken away, so jobs may fetch and read meanwhile.
        pack(store, "never")
