"""The tree of processes below one process, as /proc shows it, and its end."""

from __future__ import annotations

import os
from time import monotonic

SIGKILL = 9
SIGSTOP = 19
"""The numbers on Linux; the module `signal` takes longer to import than all of this."""

PATIENCE_SECONDS = 20.0
PAUSE_MILLISECONDS = 20

_HAS_LISTS = os.path.exists(f"/proc/self/task/{os.getpid()}/children")  # noqa: PTH110

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def list_descendants(root: int) -> list[int]:
    """Return all processes below one, parents before their children."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        children = list_children(waiting.pop())
        found += children
        waiting += children
    return found


def list_tree(leader: int, root: int) -> list[int]:
    """Return what belongs to a process that leads a session: below it, or left in the session."""
    below = list_descendants(leader)
    left = [pid for pid in list_descendants(root) if pid not in below and _session(pid) == leader]
    return [leader, *below, *left]


def send_signal(pid: int, number: int) -> None:
    """Send a signal to a process; it may be gone, or another user's."""
    try:
        os.kill(pid, number)
    except OSError:
        return


def kill_descendants(root: int, reap: Callable[[], bool], pause: Callable[[int], object]) -> bool:
    """Kill all processes below this one; for the rest see `kill_all`."""
    return kill_all(lambda: list_descendants(root), reap, pause)


def kill_all(
    list_processes: Callable[[], list[int]],
    reap: Callable[[], bool],
    pause: Callable[[int], object],
) -> bool:
    """Kill what is listed, now and later, until there is nothing; False if some cannot be killed.

    Every process is stopped before any is killed, so that none of them can start others meanwhile.
    `reap` takes the ends of children and tells whether there are any left, `pause` waits for so
    many milliseconds, or less.
    """
    deadline = monotonic() + PATIENCE_SECONDS
    while reap():
        stopped: set[int] = set()
        while new := set(list_processes()) - stopped:
            for pid in new:
                send_signal(pid, SIGSTOP)
            stopped |= new
            if monotonic() > deadline:
                break
        for pid in stopped:
            send_signal(pid, SIGKILL)
        if monotonic() > deadline:
            return False
        pause(PAUSE_MILLISECONDS)
    return True


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks after boot; None where there is none."""
    facts = read_facts(pid)
    return int(facts[19]) if facts and facts[0] not in (b"Z", b"X") else None


def _session(pid: int) -> int:
    facts = read_facts(pid)
    return int(facts[3]) if facts else 0


def read_facts(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the state on (proc(5)); none for no process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib is not imported here
            # The name stands in parentheses and may hold anything, parentheses too.
            return file.read().rpartition(b") ")[2].split()
    except OSError:
        return []


def list_children(pid: int) -> list[int]:
    """Return the processes that a process is the parent of."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208
    except OSError:
        return []
    children: list[int] = []
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                children += map(int, file.read().split())
        except OSError:
            if not _HAS_LISTS:
                return _scan_children(pid)
    return children


def _scan_children(parent: int) -> list[int]:
    """Do the same on kernels that are built without lists of children."""
    names = os.listdir("/proc")  # noqa: PTH208
    found = [int(name) for name in names if name.isdigit()]
    return [pid for pid in found if (facts := read_facts(pid)) and int(facts[1]) == parent]
