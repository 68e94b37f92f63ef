"""What killed processes have left and no run needs: folders of jobs, halves of runs, of removals.

A folder goes while the lock of its attempt is held, so that nobody takes the run up meanwhile.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.db.runs import list_ids
from windlass.errors import InputError, PlatformError
from windlass.jobs.supervisor.sweep import list_open_jobs_of
from windlass.jobs.workspaces.removal import remove_at_once, remove_entry
from windlass.operations.pruning_stored import Removal
from windlass.stores.state_folder import WORK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from windlass.operations.history import History
    from windlass.stores.run_folders import AttemptFolder

BEGINNING_SECONDS: Final = 600
"""A run whose folder is younger than this may still be about to be entered."""


def prune_work(
    history: History, *, gone: Collection[str] = (), dry_run: bool = False
) -> Iterator[Removal]:
    """Remove folders of jobs that have no live run: one that is resumed makes new ones.

    Those of runs with `--keep` stay as long as the run. `gone` are runs that are removed with all
    that is theirs.

    Raises:
        PlatformError: the lock of an attempt cannot be opened.
        OSError: a folder cannot be removed.
    """
    for folder in _list_work(history.state / WORK):
        run, _, attempt = folder.name.partition(".")
        record = history.folders.attempt(run, int(attempt or 1))
        if run in gone or _is_used(history, run, record):
            continue
        size = measure(folder)
        if dry_run or _remove_unclaimed(folder, record):
            yield Removal("work", folder.name, "no run needs it", size)


def prune_unentered(history: History, now: float, *, dry_run: bool = False) -> Iterator[Removal]:
    """Remove folders of runs that history does not know: they were killed as they began.

    `now` is in seconds since the epoch, as the ids of runs are in microseconds.

    Raises:
        PlatformError: the lock of an attempt cannot be opened.
        OSError: a folder cannot be removed.
    """
    youngest = (now - BEGINNING_SECONDS) * 1_000_000
    for run in sorted(set(history.folders.ids()) - set(list_ids(history.database))):
        folder, first = history.folders.path / run, history.folders.attempt(run, 1)
        if int(run) > youngest or first.is_live:
            continue
        size = measure(folder)
        if dry_run or _remove_unclaimed(folder, first):
            yield Removal("run", run, "it was interrupted before it began", size)


def prune_halves(history: History, *, dry_run: bool = False) -> Iterator[Removal]:
    """Remove what is left of removals that were interrupted.

    Raises:
        OSError: a folder cannot be removed.
    """
    for kind, parent in (("run", history.folders.path), ("work", history.state / WORK)):
        for path in parent.glob("*.removed"):
            size = measure(path)
            if not dry_run:
                remove_entry(path)
            yield Removal(kind, path.name, "its removal was interrupted", size)


def measure(path: Path) -> int:
    """Return how many bytes the files below a path take on the disk."""
    if not path.is_dir():
        return path.stat().st_blocks * 512
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                total += os.lstat(f"{folder}/{name}").st_blocks * 512
    return total


def _list_work(work: Path) -> list[Path]:
    """Return what has the name of an attempt."""
    with suppress(FileNotFoundError):
        return [it for it in work.iterdir() if it.name.replace(".", "", 1).isdecimal()]
    return []


def _is_used(history: History, run: str, record: AttemptFolder) -> bool:
    """Tell whether somebody uses the folders of an attempt's jobs, or is still ending those."""
    if not record.path.exists():
        return False
    return record.is_live or bool(list_open_jobs_of(record.path)) or _keeps(history, run)


def _keeps(history: History, run: str) -> bool:
    """Tell whether the user wants the folders of a run's jobs."""
    attempts = history.attempts(run)
    try:
        return bool(attempts) and history.read(attempts[-1]).keep
    except (InputError, PlatformError):
        return False


def _remove_unclaimed(folder: Path, record: AttemptFolder) -> bool:
    """Remove a folder unless somebody carries out the attempt that it belongs to."""
    if not record.path.exists():
        remove_at_once(folder)
        return True
    if not record.claim():
        return False
    try:
        remove_at_once(folder)
    finally:
        record.release()
    return True
