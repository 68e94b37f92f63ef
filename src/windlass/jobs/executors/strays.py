"""Finds and ends the processes that a job left behind on this machine."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import TYPE_CHECKING

from windlass.jobs.supervisor.tree import read_facts
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ROUNDS = 20
"""A process may start others while it is looked for; a job that always does is left to its fate."""

PATIENCE_MILLISECONDS = 1000
_STATE, _SESSION, _START = 0, 3, 19
"""Fields of /proc/PID/stat after the name: proc(5)."""


@dataclass(frozen=True, slots=True)
class Marks:
    """By what a job's processes are known.

    `sessions` are the ids of the sessions its steps lead, `variables` what its processes carry in
    their environment, as `NAME=value`. Only processes started since `since` are asked for that, in
    clock ticks after boot.
    """

    sessions: Collection[int]
    variables: Collection[bytes]
    since: int


def now_in_ticks() -> int:
    """Return the time since boot in the unit of /proc."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def end_strays(marks: Marks) -> None:
    """Kill every process with one of the marks and wait until it is gone."""
    for _ in range(ROUNDS):
        strays = [pid for pid in _list_processes() if _is_marked(pid, marks)]
        if not strays:
            return
        for pid in strays:
            _end(pid, marks)


def _list_processes() -> Iterator[int]:
    own = os.getpid()
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are wanted, not paths
        if name.isdigit() and int(name) != own:
            yield int(name)


def _is_marked(pid: int, marks: Marks) -> bool:
    """Tell whether a process is alive and the job's."""
    try:
        facts = read_facts(pid)
        if not facts or facts[_STATE] in (b"Z", b"X"):
            return False
        if int(facts[_SESSION]) in marks.sessions:
            return True
        if int(facts[_START]) < marks.since:
            return False
        variables = _read(f"/proc/{pid}/environ").split(b"\0")
    except OSError:
        return False
    return any(variable in variables for variable in marks.variables)


def _end(pid: int, marks: Marks) -> None:
    """Kill a process by a descriptor, which no other process can inherit the number of."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        descriptor = os.pidfd_open(pid)
        try:
            if _is_marked(pid, marks):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                gone = select.poll()
                gone.register(descriptor, select.POLLIN)
                gone.poll(PATIENCE_MILLISECONDS)
        finally:
            os.close(descriptor)


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        blocks = []
        while block := os.read(descriptor, 1 << 17):
            blocks.append(block)
        return b"".join(blocks)
    finally:
        os.close(descriptor)
