"""Waiting for services, with GitHub's words and pauses.

Expected values: actions/runner src/Runner.Worker/ContainerOperationProvider.cs
(ContainerHealthcheck), src/Sdk/Common/Common/Utility/BackoffTimerHelper.cs.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.jobs.containers.scripted import ScriptedEngine

from windlass.jobs.containers import health
from windlass.jobs.containers.health import back_off, wait_until_healthy
from windlass.jobs.patience import StartCancelledError


def container(status: str | None) -> dict[str, Any]:
    """What the daemon says of a container; None where nothing checks its health."""
    if status is None:
        return {"Config": {}, "State": {}}
    return {"Config": {"Healthcheck": {"Test": ["CMD"]}}, "State": {"Health": {"Status": status}}}


@pytest.mark.parametrize(
    ("attempt", "factor", "seconds"),
    [
        (0, 0.8, 2.0),
        (0, 1.2, 2.0),
        (1, 0.8, 3.6),
        (1, 1.0, 4.0),
        (1, 1.2, 4.4),
        (2, 1.0, 8.0),
        (3, 1.0, 16.0),
        (4, 1.0, 32.0),
        (4, 0.8, 26.0),
        (9, 0.8, 32.0),
    ],
)
def test_pauses(attempt: int, factor: float, seconds: float) -> None:
    """They begin with 2 seconds, double, vary by a fifth and end at 32."""
    assert back_off(attempt, factor) == pytest.approx(seconds)


def test_pauses_vary_by_themselves() -> None:
    """Without a factor it is one of those that the runner draws."""
    assert all(3.6 <= back_off(1) <= 4.4 for _ in range(100))


@pytest.mark.parametrize(
    ("statuses", "healthy"),
    [
        ([None], True),
        (["none"], True),
        (["healthy"], True),
        (["unhealthy"], False),
        (["starting", "starting", "healthy"], True),
        (["starting", "unhealthy"], False),
    ],
    ids=str,
)
def test_health(statuses: list[str | None], healthy: bool) -> None:
    """A service without a check is healthy; another one once Docker says so."""
    engine = ScriptedEngine([container(status) for status in statuses])

    found = wait_until_healthy(engine, "1", "db", note=lambda _: None, pause=lambda _: False)

    assert found is healthy


def test_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause is told as the runner does, in whole seconds; looks in between are not."""
    now = 0.0

    def pause(seconds: float) -> bool:
        nonlocal now
        now += seconds
        return False

    monkeypatch.setattr(health.time, "monotonic", lambda: now)
    monkeypatch.setattr(health.random, "uniform", lambda _low, _high: 1.1)
    starting = container("starting")
    engine = ScriptedEngine([*[starting] * 70, container("healthy")])
    lines: list[str] = []

    assert wait_until_healthy(engine, "1", "db", note=lines.append, pause=pause)
    assert lines == [
        "db service is starting, waiting 2 seconds before checking again.",
        "db service is starting, waiting 4 seconds before checking again.",
        "db service is starting, waiting 8 seconds before checking again.",
    ]


def test_a_job_that_is_to_end() -> None:
    """Nobody is waited for any more."""
    engine = ScriptedEngine([container("starting")])

    with pytest.raises(StartCancelledError):
        wait_until_healthy(engine, "1", "db", note=lambda _: None, pause=lambda _: True)
