"""Looked at around every run: what killed runs have left, and whether it is time to prune."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.stores.state_folder import WORK
from windlass.stores.user_cache import DAEMONS, find_user_cache

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.operations.history import History

LOOK_SECONDS: Final = 3_600
MOST_RUNS: Final = 150
"""With more runs than these it is always time; by default 100 are kept."""

MARK: Final = "pruned"


def end_leftovers(history: History) -> None:
    """End what killed runs have left running; trouble is told and changes nothing else."""
    sweep_daemons(history.tell)
    interrupted = history.list_interrupted()
    if not interrupted:
        return
    # Imported only then: this is before the first step of a run.
    from windlass.jobs.supervisor.sweep import sweep_attempt

    for attempt in interrupted:
        try:
            sweep_attempt(attempt.folder.path)
        except (PlatformError, OSError) as error:
            run = attempt.row.run.id
            history.tell(f"what run {run} has left running could not be ended: {error}")


def sweep_daemons(tell: Callable[[str], None]) -> None:
    """Remove what killed runs have left in Docker daemons, in whichever repository they were."""
    try:
        if not any((find_user_cache() / DAEMONS).iterdir()):
            return
    except OSError:
        return
    # Imported only where something may be left: this is before the first step of a run.
    from windlass.jobs.containers.daemon_users import list_former_users

    if users := [user for user in list_former_users() if user.is_worth_a_look]:
        # Only now: what speaks to daemons takes longer to import than all of a short run.
        from windlass.jobs.containers.sweeping import sweep_after

        sweep_after(users, tell)


def tidy_up(history: History, now: Callable[[], float] = time.time) -> None:
    """Remove what killed runs have left; prune, at most once an hour unless there are many runs.

    Trouble is told and changes nothing else.
    """
    mark = history.state / MARK
    try:
        _tidy_work(history)
        with suppress(FileNotFoundError):
            is_recent = now() - mark.stat().st_mtime < LOOK_SECONDS
            if is_recent and len(history.folders.ids()) < MOST_RUNS:
                return
        # Imported only then: it is not free, and this may be the end of a short run.
        from windlass.operations.pruning import prune

        mark.touch()
        os.utime(mark, (now(), now()))
        prune(history, now=now)
    except (PlatformError, OSError) as error:
        history.tell(f"old runs could not be removed: {error}")


def _tidy_work(history: History) -> None:
    """Remove the folders of jobs of killed runs, where there is one."""
    with suppress(FileNotFoundError):
        if any((history.state / WORK).iterdir()):
            from windlass.operations.pruning_leftovers import prune_work

            list(prune_work(history))
