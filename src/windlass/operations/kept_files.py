"""The files that a job of a run with `--keep` has left in its workspace."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from windlass.errors import InputError, PlatformError, UsageError
from windlass.jobs.folders import JobFolders
from windlass.lang.casing import equals_ignoring_case
from windlass.operations.job_starts import work_folder
from windlass.stores.state_folder import TOOLS

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.operations.history import Attempt, History


def find_workspace(history: History, attempts: list[Attempt], job: str) -> Path:
    """Return the workspace that a job was left with, in the last attempt that ran it.

    Raises:
        InputError: there is no such job, or its folders were not kept.
    """
    jobs: dict[str, tuple[Attempt, Path]] = {}
    for attempt in attempts:
        jobs.update({key: (attempt, it) for key, it in attempt.folder.jobs().items()})
    key = next((it for it in jobs if it == job), None)
    key = key or next((it for it in jobs if equals_ignoring_case(it, job)), None)
    if key is None:
        listed = ", ".join(jobs) or "none"
        raise InputError(f"no job '{job}' was started in the run", hint=f"the jobs are {listed}")
    attempt, record = jobs[key]
    definition = history.read(attempt)
    folder = work_folder(history.state, definition.run, definition.attempt)
    for found in folder.glob(f"{record.name}-*"):
        return JobFolders(found, definition.repository.name, history.state / TOOLS).workspace
    raise InputError(
        f"the files of job '{key}' were not kept", hint="`windlass run --keep` keeps them"
    )


def find_file(workspace: Path, name: str) -> Path:
    """Return a file or folder of a workspace.

    Raises:
        InputError: it is not there.
        UsageError: the name leads out of the workspace.
    """
    path = workspace / name
    inside = os.path.normpath(path)
    if not (inside == str(workspace) or inside.startswith(f"{workspace}{os.sep}")):
        raise UsageError(f"{name} is not in the workspace", hint="name a path relative to it")
    if not os.path.lexists(path):
        raise InputError(
            f"{name} is not in the workspace", hint="without PATH all files are listed"
        )
    return path


def list_files(folder: Path) -> list[str]:
    """Return all files below a folder, relative to it, sorted; `.git` is left out.

    Raises:
        PlatformError: a folder cannot be read.
    """
    found: list[str] = []

    def refuse(error: OSError) -> None:
        raise PlatformError(f"{error.filename} cannot be read: {error.strerror}") from error

    for at, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(it for it in folders if it != ".git")
        links = [it for it in folders if os.path.islink(os.path.join(at, it))]  # noqa: PTH114, PTH118
        found += (os.path.relpath(os.path.join(at, it), folder) for it in (*names, *links))  # noqa: PTH118
    return sorted(found)


def copy_out(source: Path, destination: Path) -> None:
    """Copy a file or a folder; links stay links, and nothing that is there is replaced.

    Raises:
        UsageError: there is something already.
        PlatformError: it cannot be copied.
    """
    if destination.is_dir() and not source.is_dir():
        destination = destination / source.name
    if os.path.lexists(destination):
        raise UsageError(f"{destination} is there already", hint="-o names a new file or folder")
    try:
        if source.is_dir():
            shutil.copytree(source, destination, symlinks=True)
        else:
            shutil.copy2(source, destination, follow_symlinks=False)
    except (OSError, shutil.Error) as error:
        raise PlatformError(f"{source} cannot be copied: {error}") from error
