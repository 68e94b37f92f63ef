"""How long a job waits before its first step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.jobs import patience as module
from windlass.jobs.cancellation import Cancellation
from windlass.jobs.patience import Patience

if TYPE_CHECKING:
    import pytest


def test_patience_ends_with_a_cancellation() -> None:
    """Who waits is woken, and need not say why."""
    cancellation = Cancellation()
    patience = Patience(cancellation, 1)

    assert not patience.pause(0)
    cancellation.request("enough")
    assert patience.pause(60)
    assert patience.problems == ()


def test_patience_ends_with_a_cancellation_of_before() -> None:
    """A request that was made before counts too."""
    cancellation = Cancellation()
    cancellation.force()

    assert Patience(cancellation, 1).pause(60)


def test_patience_ends_with_the_time_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is part of `timeout-minutes`, and ends with GitHub's words."""
    monkeypatch.setattr(module, "_SECONDS_PER_MINUTE", 0.01)
    patience = Patience(Cancellation(), 3)

    with patience.limited():
        assert patience.pause(60)
    assert patience.problems == (
        "The job running on runner windlass has exceeded the maximum execution time of 3 minutes.",
    )


def test_a_job_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zero minutes are no limit."""
    monkeypatch.setattr(module, "_SECONDS_PER_MINUTE", 0.01)
    patience = Patience(Cancellation(), 0)

    with patience.limited():
        assert not patience.pause(0.1)
