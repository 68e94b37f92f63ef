"""A server, its runner or its database that falls over at any point of a run does not change it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.e2e.repositories import CHECKOUT
from tests.postgres import find_programs

SAMPLES = {"sqlite": 1, "postgresql": 1}
"""The nightly suite strikes at every point, this one at so many of each kind."""


@pytest.mark.parametrize("database", SAMPLES)
def test_struck_at_some_points(database: str) -> None:
    """Transactions, effects, messages, what is written: see `tests.chaos.server_points`."""
    if database == "postgresql" and find_programs() is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    words = ["--database", database, "--sample", str(SAMPLES[database]), "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.server_points", *words],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout
