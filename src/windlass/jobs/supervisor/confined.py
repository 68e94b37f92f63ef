"""The supervisor of a job in a sandbox: the first process of the job's own namespace.

It is as any other supervisor, but nobody else's parent is Windlass's fork server: bubblewrap makes
the namespaces and starts it there. As the first process it cannot be killed by a step, and all of
the job ends with it, which the kernel sees to. It hides its memory, and what it may do as root (to
mount the workspace) no step may.
"""

from __future__ import annotations

import os
from _socket import socket

from windlass.jobs.supervisor import channel, kernel
from windlass.jobs.supervisor.ends import be_deaf
from windlass.jobs.supervisor.process import supervise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHANNEL = 3
READY = "ready"
MOST_DESCRIPTORS = 1 << 30

CAPABILITIES = frozenset((0, 1, 3, 4, 5, 6, 7, 10, 18, 29))
"""What the steps of root may do: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID,
NET_BIND_SERVICE, SYS_CHROOT, AUDIT_WRITE.

Less than a container of Docker's may, which has SETPCAP, NET_RAW, MKNOD and SETFCAP too.
Source: https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities
"""


def main() -> None:
    """Look after one job; the channel to Windlass is the file with the number 3."""
    try:
        os.chdir("/")
        be_deaf()
        # What Windlass was started with may lead out of the sandbox.
        os.closerange(CHANNEL + 1, MOST_DESCRIPTORS)
        kernel.hide_memory()
        kernel.limit_capabilities(CAPABILITIES)
        link: Any = socket(fileno=CHANNEL)
        os.set_inheritable(CHANNEL, False)  # noqa: FBT003
        channel.send(link, (READY,))
        _let_go_of_output()
        supervise(link, may_stay=False)
    except OSError as error:
        os.write(2, f"the supervisor cannot begin: {error.strerror}\n".encode())
    finally:
        # Somebody may wait for our end, and there is nothing to tidy up.
        os._exit(0)


def _let_go_of_output() -> None:
    """Until now Windlass read there what had gone wrong."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
