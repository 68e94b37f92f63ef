"""A run with containers that is killed leaves nothing behind after the next command."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.chaos.container_points import NO_DAEMON
from tests.e2e.repositories import CHECKOUT

if TYPE_CHECKING:
    from windlass.docker.engine import Engine

SHARES = 2
EVERY = 80
"""The nightly suite kills at every point, this one at some, spread evenly over all of them."""


@pytest.mark.requirement("C12")
@pytest.mark.parametrize("share", range(1, SHARES + 1))
def test_killed_at_some_points(docker: Engine, share: int) -> None:
    """Questions to the daemon, journal writes, orders, logs: see `tests.chaos.container_points`."""
    part = ["--share", f"{share}/{SHARES}", "--every", str(EVERY)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.container_points", *part],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )

    assert done.returncode != NO_DAEMON, done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout
