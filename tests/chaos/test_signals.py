"""What becomes of a run when signals hit Windlass, or a step."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest
from tests.chaos.test_faults import start_until_ready
from tests.e2e.repositories import SECONDS, processes_below, read_until, wait_until_gone

from windlass.jobs.supervisor.tree import list_descendants, send_signal

if TYPE_CHECKING:
    import subprocess

    from tests.e2e.repositories import Repository

STUBBORN = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          test -f "$GO" && exit
          trap '' INT TERM HUP
          (trap '' INT TERM HUP; exec -a windlass-left-behind sleep 600) &
          echo rea''dy
          while :; do sleep 0.1; done
      - if: always()
        run: echo tidied
"""
POLITE = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo rea''dy
          exec sleep 600
      - if: always()
        run: echo tidied
  b:
    needs: a
    runs-on: ubuntu-latest
    steps: [run: echo never]
"""
PID = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "pid $$"
          echo rea''dy
          sleep 600
      - if: failure()
        run: echo tidied
"""


def show(repository: Repository) -> dict[str, object]:
    done = repository.windlass("show", "--json")
    assert done.returncode == 0, done.stderr
    shown: dict[str, object] = json.loads(done.stdout)
    return shown


def list_runs(repository: Repository) -> list[dict[str, object]]:
    listed = repository.windlass("runs", "--json").stdout
    return [json.loads(line) for line in listed.splitlines()]


def finish(process: subprocess.Popen[bytes]) -> bytes:
    output, errors = process.communicate(timeout=SECONDS)
    assert b"Traceback" not in output + errors
    assert b"error: unexpected" not in errors
    return output


def test_third_signal_leaves_at_once(repository: Repository) -> None:
    """Windlass is gone, its supervisors end the steps, and the run can be resumed."""
    go = repository.home / "go"
    repository.workflow(STUBBORN)
    repository.commit()
    process = repository.start("run", "--env", f"GO={go}")
    read_until(process, b"ready\n")
    left = processes_below(repository.path) - {process.pid}
    assert len(left) >= 2
    process.send_signal(signal.SIGINT)
    read_until(process, b"cancelling")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    finish(process)

    assert process.returncode == 130
    wait_until_gone(left)
    state = show(repository)["state"]
    assert state in ("interrupted", "cancelled")
    go.touch()
    again = "resume" if state == "interrupted" else "rerun"
    done = repository.windlass(again, str(show(repository)["run"]))
    assert done.returncode in (0, 1), done.stderr
    assert processes_below(repository.path) == set()


def test_all_who_look_after_a_job_are_killed(repository: Repository) -> None:
    """Without them nobody ends the steps but the next run, before it begins."""
    repository.workflow(STUBBORN)
    repository.commit()
    go = repository.home / "go"
    process = repository.start("run", "--env", f"GO={go}")
    read_until(process, b"ready\n")
    left = processes_below(repository.path) - {process.pid}
    server, supervisor = list_descendants(process.pid)[:2]
    os.kill(process.pid, signal.SIGSTOP)
    send_signal(server, signal.SIGKILL)
    send_signal(supervisor, signal.SIGKILL)
    process.kill()
    process.communicate(timeout=SECONDS)
    assert processes_below(repository.path) & left  # the loop starts a new sleep at any time
    go.touch()
    done = repository.windlass("run", "--env", f"GO={go}")

    assert done.returncode == 0, done.stderr
    wait_until_gone(left)
    assert [run["state"] for run in list_runs(repository)] == ["success", "interrupted"]


@pytest.mark.parametrize("hang_ups", [1, 3])
def test_hang_up_cancels(repository: Repository, hang_ups: int) -> None:
    """A closing terminal sends SIGHUP, often more than once: always() runs, nothing is killed."""
    repository.workflow(POLITE)
    repository.commit()
    process = start_until_ready(repository)
    for _ in range(hang_ups):
        process.send_signal(signal.SIGHUP)
    output = finish(process)

    assert process.returncode == 130, output
    assert b"tidied\n" in output
    shown = show(repository)
    assert (shown["state"], shown["result"]) == ("cancelled", "cancelled")
    assert processes_below(repository.path) == set()


def test_first_process_of_a_step_is_killed(repository: Repository) -> None:
    """`kill -9` of a step's shell fails the step as GitHub says it; what it started ends."""
    repository.workflow(PID)
    repository.commit()
    process = repository.start("run")
    seen = read_until(process, b"ready\n")
    steps = processes_below(repository.path) - {process.pid}
    (pid,) = re.findall(rb"pid (\d+)", seen)
    os.kill(int(pid), signal.SIGKILL)
    output = finish(process)

    assert process.returncode == 1, output
    assert b"Process completed with exit code 137." in output
    assert b"tidied\n" in output
    wait_until_gone(steps)
    assert show(repository)["state"] == "failure"
