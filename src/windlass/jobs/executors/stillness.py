"""Keeps a job's processes still while Windlass works in a folder of theirs.

What Windlass writes there, it writes as its own user and outside of the place where the job runs: a
process of the job that exchanges a folder for a link at the right moment would lead it astray.
"""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING, Final

from windlass.errors import ExecutorError
from windlass.jobs.supervisor.tree import list_children, list_descendants, read_facts, send_signal

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.001
_STILL: Final = (b"T", b"t", b"Z", b"X")
"""States of proc(5) in which a process does nothing more: stopped, traced, dead."""

_WAITING: Final = b"D"
"""Also the state of a process that waits for its child to start a program: vfork(2)."""


@contextlib.contextmanager
def stop_descendants(root: int) -> Iterator[None]:
    """Stop all processes below one; those that were not stopped before go on at the end.

    Raises:
        ExecutorError: one of them cannot be stopped.
    """
    stopped: set[int] = set()
    try:
        _stop_all(root, stopped)
        yield
    finally:
        for pid in stopped:
            send_signal(pid, signal.SIGCONT)


def _stop_all(root: int, stopped: set[int]) -> None:
    """Stop processes until there is none that runs: one that is not stopped yet may start others.

    Those that are sent a signal are added to `stopped` before.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while moving := [pid for pid in list_descendants(root) if not _is_still(pid)]:
        for pid in moving:
            if pid not in stopped:
                stopped.add(pid)
                send_signal(pid, signal.SIGSTOP)
        if time.monotonic() > deadline:
            raise ExecutorError(
                f"The process {moving[0]} of this job cannot be stopped while its files are written"
            )
        time.sleep(_PAUSE_SECONDS)


def _is_still(pid: int) -> bool:
    facts = read_facts(pid)
    if not facts or facts[0] in _STILL:
        return True
    return facts[0] == _WAITING and any(map(_is_stopped, list_children(pid)))


def _is_stopped(pid: int) -> bool:
    return read_facts(pid)[:1] == [b"T"]
