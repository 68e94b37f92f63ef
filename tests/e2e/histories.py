"""What tests of earlier runs share: workflows, and what the commands say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.e2e.repositories import read_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.e2e.repositories import Repository

CHAIN = """\
name: Chain
on: [push, workflow_dispatch]
jobs:
  first:
    runs-on: ubuntu-latest
    outputs:
      word: ${{ steps.say.outputs.word }}
    steps:
      - id: say
        run: |
          echo "word=attempt-$GITHUB_RUN_ATTEMPT" >> "$GITHUB_OUTPUT"
          echo "::notice::first of attempt $GITHUB_RUN_ATTEMPT"
  second:
    needs: first
    runs-on: ubuntu-latest
    steps:
      - name: Be told
        run: echo "heard ${{ needs.first.outputs.word }}"
      - name: Succeed later
        run: test -f "$SIGN"
  third:
    needs: second
    runs-on: ubuntu-latest
    steps:
      - run: echo "number $GITHUB_RUN_NUMBER, run $GITHUB_RUN_ID"
  aside:
    runs-on: ubuntu-latest
    steps:
      - run: echo "aside in attempt $GITHUB_RUN_ATTEMPT"
"""
WAITING = """\
name: Waiting
on: push
jobs:
  done:
    runs-on: ubuntu-latest
    outputs:
      word: ${{ steps.say.outputs.word }}
    steps:
      - id: say
        run: echo "word=kept" >> "$GITHUB_OUTPUT"; echo "done in $$" >> "$RECORD"
  open:
    needs: done
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "open in $$" >> "$RECORD"
          test -f "$SIGN" || { echo ready; sleep 600; }
          echo "got ${{ needs.done.outputs.word }}"
      - if: always()
        run: echo tidied
"""


def runs(repository: Repository) -> list[dict[str, Any]]:
    """What `windlass runs --json` says."""
    done = repository.windlass("runs", "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def show(repository: Repository, *words: str) -> dict[str, Any]:
    done = repository.windlass("show", "--json", *words)
    assert done.returncode == 0, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def states(repository: Repository, *words: str) -> dict[str, str]:
    return {job["job"]: job["state"] for job in show(repository, *words)["jobs"]}


def start_waiting(repository: Repository, tmp_path: Path) -> subprocess.Popen[bytes]:
    """Start a run and return when its second job waits."""
    repository.workflow(WAITING)
    repository.commit()
    record, sign = tmp_path / "record", tmp_path / "sign"
    process = repository.start("run", "--env", f"RECORD={record}", "--env", f"SIGN={sign}")
    read_until(process, b"ready\n")
    return process
