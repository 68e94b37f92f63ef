"""Keeps a Docker daemon for tests until nobody uses it: `python -m tests.docker_keeper FOLDER`.

Who uses the daemon holds a shared lock on the file `users`, so that also those count as gone that
were killed. Everything of the daemon lies in the folder, and its mounts are its own: with it all is
gone, and so is the network that it makes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TextIO

USERS = "users"
KEEPER = "keeper"
"""The file with the process id of the keeper, who holds the lock on it."""

LOG = "log"
SOCKET = "socket"
PROCESS_ID = "dockerd.pid"
BRIDGE = "docker0"

LOOK = signal.SIGTERM
"""Has the keeper look at once whether somebody uses the daemon."""

LOOK_SECONDS = 1.0
END_SECONDS = 100
"""How long a daemon may take to end its containers, which it gives 10 s each, and itself."""

AWAITED = (LOOK, signal.SIGCHLD)

ENTER = """
if ! mountpoint --quiet /sys/fs/cgroup; then
    mount -t sysfs sysfs /sys
    if grep --quiet '^memory[[:space:]][1-9]' /proc/cgroups
    then cgroupfs-mount
    else mount -t cgroup2 cgroup2 /sys/fs/cgroup
    fi
fi
exec "$@"
"""
"""What runs before a daemon, among its own mounts: a bare machine may have no control groups."""


def runs(folder: Path) -> bool:
    """Say whether the keeper of a folder runs."""
    with (folder / KEEPER).open("a") as keeper:
        return not _take(keeper)


def keep(folder: Path) -> None:
    """Run a daemon until it ends or nobody uses it any more.

    Whoever asks for it while it ends waits for that: nobody can take the lock of its users.
    """
    made_bridge = BRIDGE not in (name for _, name in socket.if_nameindex())
    with (folder / KEEPER).open("a") as keeper, (folder / USERS).open("w") as users:
        fcntl.flock(keeper, fcntl.LOCK_EX)
        keeper.truncate(0)
        print(os.getpid(), file=keeper, flush=True)
        # What a keeper has left that was killed: process ids in it are others' by now.
        _remove(folder)
        daemon = _start(folder)
        # Only now: a process inherits what is blocked.
        signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
        while daemon.poll() is None and not _take(users):
            signal.sigtimedwait(AWAITED, LOOK_SECONDS)
        _end(daemon)
        if made_bridge:
            subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True)
        _remove(folder)


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _remove(folder: Path) -> None:
    for left in ("data", "exec"):
        shutil.rmtree(folder / left, ignore_errors=True)
    for left in (SOCKET, PROCESS_ID):
        (folder / left).unlink(missing_ok=True)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *("setpriv", "--pdeathsig", "TERM"),
            *("unshare", "--mount", "--propagation", "slave"),
            *("sh", "-c", ENTER, "sh"),
            *("dockerd", "--host", f"unix://{folder / SOCKET}"),
            *("--pidfile", folder / PROCESS_ID),
            *("--data-root", folder / "data", "--exec-root", folder / "exec"),
        ]
    )


def _take(file: TextIO) -> bool:
    """Take the lock on a file, or say that somebody holds it."""
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
