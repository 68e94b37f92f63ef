"""The fork server: a process that starts the supervisors of jobs, and outlives them.

To start an interpreter for each would take longer than most of what is done for a short job. The
server adopts what its descendants leave behind; what it adopts has lost its supervisor, which was
killed, and is killed here. So of Windlass, the server and a supervisor any two may be killed at
once: the third leaves nothing running.
"""

from __future__ import annotations

import os
import select
from _socket import socket

from windlass.jobs.supervisor import channel, kernel, tree
from windlass.jobs.supervisor.ends import be_deaf, drain_wake, make_wake
from windlass.jobs.supervisor.process import supervise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHANNEL = 3


class Server:
    """The supervisors that run, by their process ids."""

    def __init__(self, requests: socket, wake: int) -> None:
        self._requests = requests
        self._wake = wake
        self._supervisors: set[int] = set()

    def serve(self) -> None:
        """Start supervisors until Windlass is gone, then wait for the end of those there are."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._requests.fileno(), select.POLLIN)
        has_windlass = True
        while has_windlass or self._supervisors:
            for descriptor, _ in poll.poll():
                if descriptor == self._wake:
                    self._look_after()
                elif not self._answer():
                    has_windlass = False
                    poll.unregister(descriptor)

    def _answer(self) -> bool:
        """Start a supervisor and tell its id; False where nobody asks any more.

        With each request comes a socket, the channel of the new supervisor.
        """
        try:
            received = channel.receive(self._requests)
            if received is None:
                return False
            (link,) = received[1]
            answer = self._fork(link)
            os.close(link)
            channel.send(self._requests, answer)
        except OSError:
            return False
        return True

    def _fork(self, link: int) -> channel.Message:
        """Become two; the one that goes on answers with the id of the other, or why it has none."""
        try:
            pid = os.fork()
        except OSError as error:
            return "refused", error.errno
        if pid == 0:
            self._requests.close()
            supervise(socket(fileno=link))
        self._supervisors.add(pid)
        return "started", pid

    def _look_after(self) -> None:
        """Take the ends of supervisors; what one that was killed has left, is killed."""
        drain_wake(self._wake)
        if self._reap():
            tree.kill_all(self._list_orphans, self._reap_orphans, self._pause)

    def _reap(self) -> bool:
        """Take the ends there are; tell whether one of them was that of a killed supervisor."""
        was_killed = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return was_killed
            if pid == 0:
                return was_killed
            was_killed = was_killed or (pid in self._supervisors and status != 0)
            self._supervisors.discard(pid)

    def _list_orphans(self) -> list[int]:
        children = [it for it in tree.list_children(os.getpid()) if it not in self._supervisors]
        return children + [pid for it in children for pid in tree.list_descendants(it)]

    def _reap_orphans(self) -> bool:
        drain_wake(self._wake)
        self._reap()
        return bool(self._list_orphans())

    def _pause(self, milliseconds: int) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.poll(milliseconds)


def main() -> None:
    """Serve one Windlass; the channel to it is the file with the number 3."""
    try:
        os.chdir("/")
        be_deaf()
        requests: Any = socket(fileno=CHANNEL)
        os.set_inheritable(CHANNEL, False)  # noqa: FBT003
        kernel.adopt_orphans()
        Server(requests, make_wake()).serve()
    finally:
        # Somebody may wait for our end, and there is nothing to tidy up.
        os._exit(0)
