"""What Windlass leaves behind when it, its disk or its folders are taken away while it works."""

from __future__ import annotations

import shutil
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import (
    SECONDS,
    assert_is_for_people,
    processes_below,
    read_until,
    wait_until_gone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.repositories import Repository

WAITING = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          (exec -a windlass-left-behind sleep 600) &
          echo rea''dy
          exec sleep 600
      - if: always()
        run: echo tidied
"""
STUBBORN = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          trap '' INT TERM HUP
          echo rea''dy
          while :; do sleep 0.1; done
"""
LARGE = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: head --bytes=8M /dev/zero > "$RUNNER_TEMP/large"
"""
QUICK = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: test -f note.txt && echo "the step ran"
"""


def remove_all(folder: Path) -> None:
    """Remove a folder while its owner writes to it: what is made meanwhile goes too."""
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def start_until_ready(repository: Repository) -> subprocess.Popen[bytes]:
    """Start a run and return when its step has said `ready`."""
    process = repository.start("run")
    read_until(process, b"ready\n")
    return process


def test_kill_leaves_no_step_running(repository: Repository) -> None:
    """After `kill -9` of Windlass its steps end too, and the next run works."""
    repository.workflow(WAITING)
    repository.commit()
    process = start_until_ready(repository)
    steps = processes_below(repository.path) - {process.pid}
    process.kill()
    process.communicate(timeout=SECONDS)

    assert len(steps) >= 2
    wait_until_gone(steps)
    repository.write("note.txt", "x")
    repository.workflow(QUICK)
    repository.commit()
    assert repository.windlass("run").returncode == 0


def test_second_signal_ends_a_stubborn_step(repository: Repository) -> None:
    """A step that ignores every polite signal is killed by the second Ctrl-C."""
    repository.workflow(STUBBORN)
    repository.commit()
    process = start_until_ready(repository)
    process.send_signal(signal.SIGINT)
    read_until(process, b"cancelling")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 130, output + errors
    assert b"Traceback" not in output + errors
    assert processes_below(repository.path) == set()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Mount a small file system on a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_step_fills_the_disk(repository: Repository) -> None:
    """A step that meets a full disk fails as a step does; Windlass ends it like any other."""
    repository.workflow(LARGE)
    repository.commit()
    with small_disk(repository.path / ".windlass", "4m"):
        done = repository.windlass("run")

    assert done.returncode == 1, done.stdout + done.stderr
    assert_is_for_people(done)
    assert "No space left on device" in done.stdout


@pytest.mark.parametrize("room", ["16k", "64k", "256k"])
def test_no_room_for_the_job(repository: Repository, room: str) -> None:
    """A disk too small for the workspace is the platform's fault, and said in one sentence."""
    repository.write("note.txt", "x" * 300_000)
    repository.workflow(QUICK)
    repository.commit()
    with small_disk(repository.path / ".windlass", room):
        done = repository.windlass("run")

    assert done.returncode in (1, 3), done.stdout + done.stderr
    assert_is_for_people(done)
    assert "No space left on device" in done.stdout + done.stderr
    assert repository.windlass("run").returncode == 0


def test_two_runs_at_once(repository: Repository) -> None:
    """Two runs in one repository do not disturb each other, nor the base they share."""
    repository.write("note.txt", "x")
    repository.workflow(QUICK)
    repository.commit()
    runs = [repository.start("run") for _ in range(3)]
    outputs = [run.communicate(timeout=SECONDS) for run in runs]

    assert [run.returncode for run in runs] == [0, 0, 0], outputs
    assert all(b"the step ran" in output for output, _ in outputs)


def test_state_folder_is_deleted_in_a_run(repository: Repository) -> None:
    """When `.windlass` vanishes under a running job, the run ends and says why."""
    repository.workflow(WAITING)
    repository.commit()
    process = start_until_ready(repository)
    remove_all(repository.path / ".windlass")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)

    assert process.returncode in (3, 130), output + errors
    assert b"Traceback" not in output + errors
    assert b"error: unexpected " not in errors
    assert not (repository.path / ".windlass" / "work").exists() or not any(
        (repository.path / ".windlass" / "work").iterdir()
    )


def test_state_folder_is_a_file(repository: Repository) -> None:
    """A `.windlass` that is no folder is named, and nothing is done to it."""
    repository.workflow(QUICK)
    shutil.rmtree(repository.path / ".windlass")
    repository.write(".windlass", "mine")
    repository.commit()
    done = repository.windlass("run")

    assert done.returncode in (2, 3), done.stdout + done.stderr
    assert ".windlass" in done.stderr
    assert_is_for_people(done)
    assert (repository.path / ".windlass").read_text() == "mine"


def test_nobody_reads_the_output(repository: Repository) -> None:
    """A reader that goes away ends the run quietly, and its step with it."""
    repository.workflow(WAITING)
    repository.commit()
    process = start_until_ready(repository)
    steps = processes_below(repository.path) - {process.pid}
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=SECONDS)

    assert b"Traceback" not in errors
    wait_until_gone(steps)


@pytest.mark.parametrize("ignored", [signal.SIGINT, signal.SIGHUP], ids=["background", "nohup"])
def test_signals_ignored_by_the_parent(repository: Repository, ignored: signal.Signals) -> None:
    """Steps can be interrupted though a shell started Windlass in the background; nohup holds."""
    repository.workflow(WAITING)
    repository.commit()
    before = signal.signal(ignored, signal.SIG_IGN)
    try:
        process = start_until_ready(repository)
    finally:
        signal.signal(ignored, before)
    if ignored is signal.SIGHUP:
        process.send_signal(signal.SIGHUP)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 130, output + errors
    assert b"tidied\n" in output
