"""A run that is killed at any of its points leaves nothing behind, and goes on where it was."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.e2e.repositories import CHECKOUT

SHARES = 8


@pytest.mark.parametrize("share", range(1, SHARES + 1))
def test_killed_at_every_point(share: int) -> None:
    """Each journal write, order, event and log write once: see `tests.chaos.crash_points`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.crash_points", "--share", f"{share}/{SHARES}"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout
