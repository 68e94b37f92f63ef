"""How much there is: what the figures of a server are made of. Each is found by an index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.db.connections import Store

_TIME_DIGITS: Final = 16
"""A ticket begins with the nanoseconds since the epoch: see `windlass.db.tickets`."""


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """Jobs that wait for a runner with the same labels; `oldest` is when the first came.

    It is in seconds since the epoch.
    """

    labels: tuple[str, ...]
    count: int
    oldest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerFigures:
    """A runner: what it was told to do, when it was seen, how many jobs it has and may have."""

    state: str
    patience: float
    seen: float
    capacity: int
    running: int


def count_queued(store: Store) -> list[QueueFigures]:
    """Return how many jobs wait, by their labels; most first."""
    rows = store.ask(
        "SELECT labels, count(*), min(ticket) FROM jobs WHERE state = 'queued' GROUP BY labels "
        "ORDER BY count(*) DESC, labels"
    )
    return [
        QueueFigures(tuple(json.loads(labels)), count, int(ticket[:_TIME_DIGITS], 16) / 1e9)
        for labels, count, ticket in rows
    ]


def count_running(store: Store) -> int:
    """Return how many jobs are with a runner."""
    ((count,),) = store.ask("SELECT count(*) FROM jobs WHERE state = 'running'")
    return int(count)


def count_unfinished(store: Store) -> int:
    """Return how many attempts have not ended."""
    ((count,),) = store.ask("SELECT count(*) FROM attempts WHERE finished IS NULL")
    return int(count)


def list_runner_figures(store: Store) -> list[RunnerFigures]:
    """Return what there is to say of each runner whose credential is good."""
    rows = store.ask(
        "SELECT state, patience, seen, capacity, (SELECT count(*) FROM jobs "
        "WHERE jobs.runner = runners.id AND jobs.state = 'running') "
        "FROM runners WHERE state <> 'revoked'"
    )
    return [
        RunnerFigures(state=state, patience=patience, seen=seen, capacity=capacity, running=running)
        for state, patience, seen, capacity, running in rows
    ]


def count_effects(store: Store) -> dict[str, tuple[int, float]]:
    """Return how many effects wait, and when the first is due, by their kind."""
    rows = store.ask(
        "SELECT kind, count(*), min(due) FROM effects WHERE done IS NULL GROUP BY kind"
    )
    return {str(kind): (int(count), float(due)) for kind, count, due in rows}


def count_letters(store: Store) -> int:
    """Return how many letters have not been delivered to their runs."""
    ((count,),) = store.ask("SELECT count(*) FROM inbox")
    return int(count)


def list_waits(store: Store, run: str, attempt: int) -> list[float]:
    """Return for how many seconds each job of an attempt was in the queue, if it left it."""
    rows = store.ask(
        "SELECT claimed - queued FROM jobs WHERE run = ? AND attempt = ? AND claimed IS NOT NULL "
        "ORDER BY number",
        (run, attempt),
    )
    return [max(0.0, float(seconds)) for (seconds,) in rows]
