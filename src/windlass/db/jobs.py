"""The jobs that a server's runs have ordered: a queue, from which runners take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from windlass.db.tickets import draw_ticket
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.db.connections import Connection, Store

State: TypeAlias = Literal["queued", "running", "ended"]

_COLUMNS: Final = "run, attempt, job, labels, state, runner, reason, queued, claimed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job of an attempt; `job` is what stands for its key there.

    `runner` is who has taken it, `reason` why it is asked to end; `queued` and `claimed` are
    seconds since the epoch.
    """

    run: str
    attempt: int
    job: str
    labels: tuple[str, ...]
    state: State
    runner: str | None
    reason: str | None
    queued: float
    claimed: float | None


def queue_job(
    connection: Connection, run: str, attempt: int, job: str, labels: Sequence[str], now: float
) -> None:
    """Put a job behind all others."""
    connection.execute(
        f"INSERT INTO jobs ({_COLUMNS}, ticket) "  # noqa: S608
        "VALUES (?, ?, ?, ?, 'queued', NULL, NULL, ?, NULL, ?)",
        (run, attempt, job, json.dumps(list(labels)), now, draw_ticket()),
    )


def list_queued(store: Store, limit: int) -> list[JobRow]:
    """Return the jobs that have waited longest."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM jobs WHERE state = 'queued' ORDER BY ticket LIMIT ?",  # noqa: S608
        (limit,),
    )
    return [_read(row) for row in rows]


def list_running(store: Store, runner: str) -> list[JobRow]:
    """Return the jobs that a runner has taken and that have not ended."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM jobs WHERE state = 'running' AND runner = ? ORDER BY ticket",  # noqa: S608
        (runner,),
    )
    return [_read(row) for row in rows]


def find_job(connection: Connection, run: str, attempt: int, job: str) -> JobRow | None:
    """Return a job, or None where none was ordered by that name."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM jobs WHERE run = ? AND attempt = ? AND job = ?",  # noqa: S608
        (run, attempt, job),
    ).fetchall()
    return _read(rows[0]) if rows else None


def claim_job(connection: Connection, row: JobRow, runner: str, now: float) -> bool:
    """Give a queued job to a runner; False where it is not queued any more."""
    changed = connection.execute(
        "UPDATE jobs SET state = 'running', runner = ?, claimed = ? "
        "WHERE run = ? AND attempt = ? AND job = ? AND state = 'queued'",
        (runner, now, row.run, row.attempt, row.job),
    )
    return changed.rowcount == 1


def end_job(connection: Connection, run: str, attempt: int, job: str) -> bool:
    """Note that a job has ended; False where that is known already."""
    changed = connection.execute(
        "UPDATE jobs SET state = 'ended' "
        "WHERE run = ? AND attempt = ? AND job = ? AND state <> 'ended'",
        (run, attempt, job),
    )
    return changed.rowcount == 1


def ask_to_end(connection: Connection, run: str, attempt: int, job: str, reason: str) -> None:
    """Note why a job that runs is to end; its runner hears of it."""
    connection.execute(
        "UPDATE jobs SET reason = ? "
        "WHERE run = ? AND attempt = ? AND job = ? AND state = 'running'",
        (reason, run, attempt, job),
    )


def _read(row: Sequence[object]) -> JobRow:
    run, attempt, job, labels, state, runner, reason, queued, claimed = row
    return JobRow(
        run=str(run),
        attempt=int(str(attempt)),
        job=str(job),
        labels=tuple(json.loads(str(labels))),
        state=state,  # type: ignore[arg-type]
        runner=None if runner is None else str(runner),
        reason=None if reason is None else str(reason),
        queued=float(str(queued)),
        claimed=None if claimed is None else float(str(claimed)),
    )
