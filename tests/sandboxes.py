"""Sandboxes for tests: not every machine can make one."""

from __future__ import annotations

import pytest

from windlass.errors import ExecutorError
from windlass.jobs.executors.bubblewrap import require_sandbox


def need_sandbox(*, offline: bool = False) -> None:
    """Skip the test where this machine cannot make a sandbox, and say why."""
    try:
        require_sandbox(offline=offline)
    except ExecutorError as error:
        pytest.skip(f"no sandbox here: {error.message}")
