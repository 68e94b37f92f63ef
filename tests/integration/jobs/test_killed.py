"""What becomes of a job whose Windlass is killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import os, sys
from windlass.jobs.executors.host import HostExecutor
session = HostExecutor().open("job")
ended = session.spawn(["/bin/true"], variables={}, folder="/")
ended.wait()
script = "echo $$; trap '' INT TERM; while :; do sleep 1; done"
path = {"PATH": os.environ["PATH"]}
process = session.spawn(["/bin/sh", "-c", script], variables=path, folder="/")
print(process.read().decode(), flush=True)
process.read()
"""


def test_steps_do_not_survive(tmp_path: Path) -> None:
    """`kill -9` of Windlass ends the steps that run; nothing of them goes on unseen."""
    windlass = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, cwd=tmp_path
    )
    assert windlass.stdout is not None
    step = os.pidfd_open(int(windlass.stdout.readline()))
    windlass.send_signal(signal.SIGKILL)
    windlass.communicate()

    ended = select.poll()
    ended.register(step, select.POLLIN)
    assert ended.poll(10_000)
    os.close(step)
