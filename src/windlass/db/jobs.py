"""The jobs that a server's runs have ordered: a queue, from which runners take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from windlass.db.tickets import draw_ticket
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.db.connections import Connection, Store

State: TypeAlias = Literal["queued", "running", "ended"]

_COLUMNS: Final = (
    "run, attempt, job, number, labels, state, runner, token, received, reason, queued, claimed"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job of an attempt; `job` is what stands for its key there, `number` counts them from 1.

    `runner` is who has taken it, and `token` the digest of what that one shows to speak of the job;
    `received` counts the events it has told so far. `reason` is why the job is asked to end;
    `queued` and `claimed` are seconds since the epoch.
    """

    run: str
    attempt: int
    job: str
    number: int
    labels: tuple[str, ...]
    state: State
    runner: str | None
    token: str | None
    received: int
    reason: str | None
    queued: float
    claimed: float | None


def queue_job(
    connection: Connection, run: str, attempt: int, job: str, labels: Sequence[str], now: float
) -> None:
    """Put a job behind all others; the attempt's row has to be locked."""
    ((last,),) = connection.execute(
        "SELECT max(number) FROM jobs WHERE run = ? AND attempt = ?", (run, attempt)
    ).fetchall()
    connection.execute(
        f"INSERT INTO jobs ({_COLUMNS}, ticket) "  # noqa: S608
        "VALUES (?, ?, ?, ?, ?, 'queued', NULL, NULL, 0, NULL, ?, NULL, ?)",
        (run, attempt, job, (last or 0) + 1, json.dumps(list(labels)), now, draw_ticket()),
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


def list_jobs(store: Store, run: str, attempt: int) -> list[JobRow]:
    """Return the jobs of an attempt that were queued, in that order."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM jobs WHERE run = ? AND attempt = ? ORDER BY number",  # noqa: S608
        (run, attempt),
    )
    return [_read(row) for row in rows]


def find_job(connection: Connection, run: str, attempt: int, job: str) -> JobRow | None:
    """Return a job, or None where none was ordered by that name."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM jobs WHERE run = ? AND attempt = ? AND job = ?",  # noqa: S608
        (run, attempt, job),
    ).fetchall()
    return _read(rows[0]) if rows else None


def find_numbered(store: Store, run: str, attempt: int, number: int) -> JobRow | None:
    """Return the number-th job of an attempt, or None where there is none."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM jobs WHERE run = ? AND attempt = ? AND number = ?",  # noqa: S608
        (run, attempt, number),
    )
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


def drop_job(connection: Connection, run: str, attempt: int, job: str) -> bool:
    """End a job that nobody has taken; False where somebody has, or it has ended."""
    changed = connection.execute(
        "UPDATE jobs SET state = 'ended' "
        "WHERE run = ? AND attempt = ? AND job = ? AND state = 'queued'",
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


def _read(row: Sequence[Any]) -> JobRow:
    run, attempt, job, number, labels, state, runner, token, received, reason, queued, claimed = row
    return JobRow(
        run=run,
        attempt=attempt,
        job=job,
        number=number,
        labels=tuple(json.loads(labels)),
        state=state,
        runner=runner,
        token=token,
        received=received,
        reason=reason,
        queued=queued,
        claimed=claimed,
    )
