"""What the shell of a job's container does when nobody speaks to it any more."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from windlass.jobs.executors.docker_shell import LISTENER

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")
BESIDE = 'sleep 1 & sh -c "$LISTENER" windlass "$1" </dev/null; wait $!; echo "it ended with $?"'


@pytest.fixture
def control(tmp_path: Path) -> Path:
    """The folder in which the shell is spoken to."""
    if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
        pytest.skip("namespaces of processes cannot be made here")
    os.mkfifo(tmp_path / "slot1")
    return tmp_path


def listen(*words: str | Path) -> str:
    """Return what is printed behind the first line, in a namespace that keeps all signals in."""
    done = subprocess.run(
        [*NAMESPACE, *words],
        env={"PATH": os.environ["PATH"], "LISTENER": LISTENER},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return done.stdout.partition("\n")[2]


def test_processes_of_others_stay(control: Path) -> None:
    """With `--pid host` the shell is one of many processes, and ends no other but its own."""
    assert listen("sh", "-c", BESIDE, "sh", control) == "it ended with 0\n"


def test_all_that_is_its_own_ends(control: Path) -> None:
    """As the first process of a container it ends with all that runs there."""
    assert listen("sh", "-c", LISTENER, "windlass", control) == ""
