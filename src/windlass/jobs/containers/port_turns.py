"""Ports of this machine that several jobs want: one job has them at a time, the others wait.

On GitHub every job has a machine of its own, so that all legs of a matrix may publish 5432:5432.
Here a job holds a lock on a file for each port, which the system takes back should it be killed.
They are asked for in the order of their numbers: two jobs never wait for each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import ExecutorError
from windlass.jobs.patience import StartCancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LOOK_SECONDS: Final = 0.1


@contextlib.contextmanager
def holding_ports(
    ports: Iterable[int],
    *,
    note: Callable[[str], None],
    pause: Callable[[float], bool],
    folder: Path | None = None,
) -> Iterator[None]:
    """Hold ports of this machine; `note` is told who is waited for.

    Raises:
        StartCancelledError: the job is to end.
        ExecutorError: the folder of the locks cannot be used.
    """
    place = folder or Path(tempfile.gettempdir(), f"windlass-ports-{os.getuid()}")
    with contextlib.ExitStack() as held:
        for port in sorted(set(ports)):
            descriptor = _open(place, port)
            held.callback(os.close, descriptor)
            _wait_for_turn(descriptor, port, note, pause)
        yield


def _open(folder: Path, port: int) -> int:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(0, "it belongs to another user")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(folder / str(port), flags, 0o600)
    except OSError as error:
        raise ExecutorError(
            f"The ports of jobs are shared out by files in {folder}: {error.strerror}"
        ) from error


def _wait_for_turn(
    descriptor: int, port: int, note: Callable[[str], None], pause: Callable[[float], bool]
) -> None:
    has_told = False
    while not _take(descriptor):
        if not has_told:
            note(f"Port {port} of this machine is another job's: waiting until that job has ended.")
            has_told = True
        if pause(_LOOK_SECONDS):
            raise StartCancelledError


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
