"""The process whose forks are supervisors: killed, and at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.repositories import wait_until_gone

from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest

if TYPE_CHECKING:
    from windlass.jobs.executors.interface import Session

OPEN_A_JOB = """\
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest
session = HostExecutor().open(JobRequest(key="first"))
process = session.spawn(["/bin/sh", "-c", "echo $PPID"], variables={}, folder="/")
supervisor = int(process.read())
server = int(open(f"/proc/{supervisor}/stat").read().rpartition(") ")[2].split()[1])
print(server, flush=True)
"""


def say(session: Session, script: str) -> bytes:
    """Return what a script prints."""
    process = session.spawn(["/bin/sh", "-c", script], variables={}, folder="/")
    said = b"".join(iter(process.read, b""))
    assert process.wait() == 0
    return said


def find_parent(pid: int) -> int:
    """Return the parent of a process: proc(5)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def test_jobs_share_a_server() -> None:
    """Each job has a supervisor of its own, and all supervisors have one parent."""
    executor = HostExecutor()
    with (
        closing(executor.open(JobRequest(key="one"))) as one,
        closing(executor.open(JobRequest(key="two"))) as two,
    ):
        supervisors = [int(say(it, "echo $PPID")) for it in (one, two)]
        servers = {find_parent(it) for it in supervisors}

    assert len(set(supervisors)) == 2
    assert len(servers) == 1
    assert os.getpid() not in servers


def test_a_server_that_was_killed_is_replaced() -> None:
    """Jobs that run go on, and the next one starts as if nothing had happened."""
    executor = HostExecutor()
    with closing(executor.open(JobRequest(key="one"))) as one:
        server = find_parent(int(say(one, "echo $PPID")))
        os.kill(server, signal.SIGKILL)
        with closing(executor.open(JobRequest(key="two"))) as two:
            assert say(two, "echo goes on") == b"goes on\n"
            assert find_parent(int(say(two, "echo $PPID"))) != server
        assert say(one, "echo goes on") == b"goes on\n"


def test_the_server_ends_with_its_process() -> None:
    """A process of Windlass that has ended, however it did, leaves no server behind."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_A_JOB], check=True, capture_output=True, text=True
    )

    wait_until_gone({int(done.stdout)})


def test_a_fork_of_the_process_has_a_server_of_its_own() -> None:
    """Two processes never talk to one server, whose answers they would take from each other."""
    executor = HostExecutor()
    with closing(executor.open(JobRequest(key="one"))) as one:
        server = find_parent(int(say(one, "echo $PPID")))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with closing(executor.open(JobRequest(key="two"))) as two:
                os.write(writer, say(two, "echo $PPID; read line </proc/$PPID/stat; echo $line"))
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    stat = os.read(reader, 4096).decode()
    os.close(reader)

    assert int(stat.rpartition(") ")[2].split()[1]) != server
    with closing(executor.open(JobRequest(key="three"))) as three:
        assert find_parent(int(say(three, "echo $PPID"))) == server
