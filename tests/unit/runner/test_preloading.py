"""What is there before the processes of jobs are forked."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from windlass.runner.preloading import MODULES

PROGRAM: Final = """
import os, sys
from windlass.runner.preloading import MODULES, preload
preload()
print(len(os.listdir("/proc/self/task")), all(name in sys.modules for name in MODULES))
"""


def test_a_process_that_may_be_forked() -> None:
    """All of it can be imported, and nothing of it starts a thread."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "True"]


def test_no_module_twice() -> None:
    """The list is one that is kept in order."""
    assert [*MODULES] == sorted(set(MODULES))
