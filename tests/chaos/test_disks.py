"""Disks that are full or cannot be written."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.chaos.test_faults import QUICK
from tests.e2e.repositories import CHECKOUT, assert_is_for_people, processes_below

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.repositories import Repository

SHARES = 2
EVERY = 14
"""The nightly suite fills the disk at every point, this one at some."""


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write below a folder, not even root."""
    mount = ["mount", "--bind", str(folder), str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("ran_before", [False, True], ids=["new", "with history"])
def test_repository_cannot_be_written(repository: Repository, *, ran_before: bool) -> None:
    """No job starts, and what cannot be written is named; reading commands still work."""
    repository.write("note.txt", "x")
    repository.workflow(QUICK)
    repository.commit()
    if ran_before:
        assert repository.windlass("run").returncode == 0
    with read_only(repository.path):
        done = repository.windlass("run")
        plan = repository.windlass("plan")
        shown = repository.windlass("show")

    assert done.returncode == 3, done.stdout + done.stderr
    assert "Read-only file system" in done.stderr
    assert ".windlass" in done.stderr
    assert_is_for_people(done)
    assert plan.returncode == 0, plan.stderr
    assert_is_for_people(shown)
    assert shown.returncode == (0 if ran_before else 2), shown.stderr
    assert processes_below(repository.path) == set()
    assert repository.windlass("run").returncode == 0


@pytest.mark.parametrize("share", range(1, SHARES + 1))
def test_disk_is_full_from_a_point_on(share: int) -> None:
    """At whatever moment that happens: see `tests.chaos.full_disks`."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.chaos.full_disks"),
            *("--share", f"{share}/{SHARES}", "--every", str(EVERY)),
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout
