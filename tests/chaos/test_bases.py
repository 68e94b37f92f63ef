"""A base whose writer is killed, at whatever moment, is never taken for whole."""

from __future__ import annotations

import random
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.e2e.repositories import processes_below
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.e2e.repositories import Repository

FILES = 3000
ROUNDS = 8
COUNTING = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: cat many/* | wc -l
      - run: git status --porcelain
"""


def test_kill_while_a_base_is_written(repository: Repository) -> None:
    """The next run finds every file, and Git finds no change."""
    for number in range(FILES):
        repository.write(f"many/{number}", f"{number}\n")
    repository.workflow(COUNTING)
    repository.commit()
    moments = random.Random(3)
    killed = 0
    for _ in range(ROUNDS):
        process = repository.start("run")
        try:
            process.wait(timeout=moments.uniform(0.3, 1.2))
        except subprocess.TimeoutExpired:
            killed += 1
        process.kill()
        process.communicate()
        # What was written so far is the starting point of the next one. In half of the rounds the
        # git of the killed run goes on meanwhile.
        if moments.random() < 0.5:
            assert wait_until(lambda: not processes_below(repository.path))
            bases = repository.path / ".windlass/bases"
            subprocess.run(["rm", "-rf", str(bases)], check=True)
    done = repository.windlass("run")

    if killed == 0:
        pytest.skip("this machine writes a base faster than it can be killed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f" {FILES}\n" in done.stdout
    assert "??" not in done.stdout
    assert " D " not in done.stdout


def test_folder_of_bases_vanishes_between_jobs(repository: Repository) -> None:
    """Bases that somebody removes are written again."""
    repository.write("many/0", "0\n")
    repository.workflow(COUNTING.replace("git status --porcelain", "git status --short"))
    repository.commit()
    for _ in range(2):
        done = repository.windlass("run")
        assert done.returncode == 0, done.stdout + done.stderr
        assert " 1\n" in done.stdout
        subprocess.run(["rm", "-rf", str(repository.path / ".windlass/bases")], check=True)
