"""A server's database, or the disk below it, goes away for a while: the run ends well."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.e2e.repositories import CHECKOUT
from tests.postgres import find_programs

CANNOT_MOUNT = 77


def play(module: str) -> subprocess.CompletedProcess[str]:
    if find_programs() is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    return subprocess.run(
        [sys.executable, "-m", module], cwd=CHECKOUT, capture_output=True, text=True
    )


def test_postgresql_is_away_for_half_a_minute() -> None:
    """Stopped, closed to everybody, and standing still: see `tests.chaos.server_cuts`."""
    done = play("tests.chaos.server_cuts")

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout


def test_a_disk_is_full_for_a_while() -> None:
    """That of the server, of SQLite and of PostgreSQL: see `tests.chaos.server_disks`."""
    done = play("tests.chaos.server_disks")
    if done.returncode == CANNOT_MOUNT:
        pytest.skip(done.stdout.strip())

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout
