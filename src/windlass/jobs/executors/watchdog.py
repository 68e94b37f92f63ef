"""Ends the processes of jobs when Windlass itself dies, `kill -9` included.

A shell in a session of its own waits at the end of a pipe that only this process can write to. It
is told which process groups run; when the pipe closes, for whatever reason, it kills what is left.
It stands in the root folder, so that it keeps no folder of the user's from being removed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading

from windlass.errors import ExecutorError

SHELL = "/bin/sh"
SCRIPT = """
cd /
groups=
while read -r line; do
    known=
    for group in $groups; do
        [ "$group" = "${line#?}" ] || known="$known $group"
    done
    groups=$known
    case $line in +*) groups="$groups ${line#+}" ;; esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
"""


class Watchdog:
    """The waiting shell, as it is told of process groups from any thread."""

    def __init__(self) -> None:
        """Start the shell.

        Raises:
            ExecutorError: it cannot be started.
        """
        self._lock = threading.Lock()
        reader, self._writer = os.pipe()
        try:
            os.posix_spawn(
                SHELL,
                [SHELL, "-c", SCRIPT],
                {},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, reader, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsid=True,
            )
        except OSError as error:
            raise ExecutorError(f"{SHELL} cannot be started: {error.strerror}") from error
        finally:
            os.close(reader)

    def watch(self, group: int) -> None:
        """From now on this process group is not to survive us."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """The process group is gone; its number may become another's."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        # Somebody may have killed the shell; steps run all the same.
        with self._lock, contextlib.suppress(BrokenPipeError):
            os.write(self._writer, line.encode())


@functools.cache
def watchdog() -> Watchdog:
    """Return the watchdog of this process; it starts with the first step."""
    return Watchdog()
