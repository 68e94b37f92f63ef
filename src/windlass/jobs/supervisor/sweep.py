"""Cleans up after jobs whose Windlass and supervisor were both killed."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Final

from windlass.jobs.boot import read_boot
from windlass.jobs.executors.strays import Marks, end_strays
from windlass.jobs.supervisor.presence import NAME, is_alive, read_presence
from windlass.jobs.supervisor.recovery import close_log
from windlass.listings import find_paths

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from windlass.jobs.supervisor.presence import Presence

TRACKING_VARIABLE: Final = "RUNNER_TRACKING_ID"
PATIENCE_MILLISECONDS: Final = 30_000


def sweep(runs: Path) -> list[Path]:
    """Finish what was interrupted below `.windlass/runs`; return the folders of those jobs.

    A job is left alone while the Windlass that runs it is alive. Where only its supervisor is, that
    one is bringing the job to its end: it is waited for. Where neither is, the job's processes are
    ended and its log is closed here.

    Raises:
        PlatformError: a log cannot be written.
        OSError: a folder cannot be read or written.
    """
    return [folder for folder in list_open_jobs(runs) if sweep_job(folder)]


def sweep_attempt(attempt: Path) -> None:
    """Do the same for one attempt alone, below `.windlass/runs/RUN/ATTEMPT`."""
    for folder in list_open_jobs_of(attempt):
        sweep_job(folder)


def list_open_jobs(runs: Path) -> list[Path]:
    """Return the folders of jobs that were not closed: they run, or were interrupted."""
    return [path.parent for path in find_paths(runs, f"*/*/jobs/*/{NAME}")]


def list_open_jobs_of(attempt: Path) -> list[Path]:
    """Return those of one attempt, below `.windlass/runs/RUN/ATTEMPT`."""
    return [path.parent for path in find_paths(attempt, f"jobs/*/{NAME}")]


def sweep_job(folder: Path) -> bool:
    """Do the same for one job; False where the Windlass that runs it is alive.

    Raises:
        PlatformError: the log cannot be written.
        OSError: the folder cannot be read or written.
    """
    presence = read_presence(folder / NAME)
    if presence is not None and presence.boot == read_boot():
        if is_alive(presence.windlass):
            return False
        if is_alive(presence.supervisor):
            _wait_for(presence.supervisor)
            if not (folder / NAME).exists():
                return True
        end_strays(
            Marks(
                sessions=(),
                variables=tuple(_variables(presence)),
                since=presence.since,
            )
        )
    close_log(str(folder))
    return True


def _variables(presence: Presence) -> Iterable[bytes]:
    return (f"{TRACKING_VARIABLE}={it}".encode() for it in presence.tracking)


def _wait_for(process: tuple[int, int]) -> None:
    try:
        descriptor = os.pidfd_open(process[0])
    except ProcessLookupError:
        return
    try:
        if is_alive(process):
            ended = select.poll()
            ended.register(descriptor, select.POLLIN)
            ended.poll(PATIENCE_MILLISECONDS)
    finally:
        os.close(descriptor)
