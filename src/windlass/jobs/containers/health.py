"""Waiting until the services of a job are ready.

Source: actions/runner src/Runner.Worker/ContainerOperationProvider.cs (ContainerHealthcheck),
src/Sdk/Common/Common/Utility/BackoffTimerHelper.cs
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from windlass.docker.containers import inspect_container
from windlass.jobs.patience import StartCancelledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.docker.engine import Engine

_LEAST_SECONDS: Final = 2.0
_MOST_SECONDS: Final = 32.0
_LOOK_SECONDS: Final = 0.1


def back_off(attempt: int, factor: float | None = None) -> float:
    """Return how many seconds are between two looks: 2, about 4, 8, 16, and 32 from then on.

    `factor` (0.8 to 1.2, else by chance) keeps jobs from looking all at once.
    """
    if factor is None:
        factor = random.uniform(0.8, 1.2)  # noqa: S311 (nothing is kept secret by it)
    return min(_LEAST_SECONDS + (2.0**attempt - 1) * 2 * factor, _MOST_SECONDS)


def wait_until_healthy(
    engine: Engine,
    container: str,
    alias: str,
    *,
    note: Callable[[str], None],
    pause: Callable[[float], bool],
) -> bool:
    """Return whether a service is healthy; one without a health check is.

    It says what GitHub's runner says, but looks more often than that: a service that is ready is
    not waited for. `pause` waits some seconds and tells whether the job is to end.

    Raises:
        StartCancelledError: the job is to end.
    """
    attempt = 0
    while (health := _health(engine, container)) == "starting":
        seconds = back_off(attempt)
        note(f"{alias} service is starting, waiting {int(seconds)} seconds before checking again.")
        health = _watch(engine, container, seconds, pause)
        attempt += 1
    return health in ("", "healthy")


def _watch(engine: Engine, container: str, seconds: float, pause: Callable[[float], bool]) -> str:
    """Return the health after so many seconds, or as soon as it is settled."""
    end = time.monotonic() + seconds
    while True:
        if pause(_LOOK_SECONDS):
            raise StartCancelledError
        health = _health(engine, container)
        if health != "starting" or time.monotonic() >= end:
            return health


def _health(engine: Engine, container: str) -> str:
    """Return `starting`, `healthy` or `unhealthy`; empty where nothing checks the health."""
    found = inspect_container(engine, container)
    if not found["Config"].get("Healthcheck"):
        return ""
    status = str((found["State"].get("Health") or {}).get("Status") or "")
    return "" if status == "none" else status
