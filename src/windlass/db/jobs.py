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
    "run, attempt, job, number, labels, state, runner, token, received, reason, forced, queued, "
    "claimed"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job of an attempt; `job` is what stands for its key there, `number` counts them from 1.

    `runner` is who has taken it, and `token` the digest of what that one shows to speak of the job;
    `received` counts the events it has told so far. `reason` is why the job is asked to end,
    at once where it is `forced`; `queued` and `claimed` are seconds since the epoch.
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
    forced: bool = False
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
        "VALUES (?, ?, ?, ?, ?, 'queued', NULL, NULL, 0, NULL, 0, ?, NULL, ?)",
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


def list_orphaned(store: Store, limit: int) -> list[JobRow]:
    """Return jobs that have not ended, of runners that were removed."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM jobs WHERE state = 'running' AND NOT EXISTS "  # noqa: S608
        "(SELECT 1 FROM runners WHERE runners.id = jobs.runner) ORDER BY ticket LIMIT ?",
        (limit,),
    )
    return [_read(row) for row in rows]


def count_running(connection: Connection, runner: str) -> int:
    """Return how many jobs a runner has that have not ended."""
    ((count,),) = connection.execute(
        "SELECT count(*) FROM jobs WHERE state = 'running' AND runner = ?", (runner,)
    ).fetchall()
    return int(count)


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


def list_label_sets(store: Store) -> list[str]:
    """Return the sets of labels that queued jobs ask for, each once, as they are kept: JSON.

    It takes as long as there are different sets, however many jobs wait: each set is found by one
    step down the index (https://wiki.postgresql.org/wiki/Loose_indexscan).
    """
    rows = store.ask(
        """
        WITH RECURSIVE sets (labels) AS (
            SELECT min(labels) FROM jobs WHERE state = 'queued'
            UNION ALL
            SELECT (
                SELECT min(labels) FROM jobs WHERE state = 'queued' AND labels > sets.labels
            ) FROM sets WHERE sets.labels IS NOT NULL
        )
        SELECT labels FROM sets WHERE labels IS NOT NULL
        """
    )
    return [str(labels) for (labels,) in rows]


def lock_oldest(connection: Connection, labels: str, limit: int) -> list[tuple[str, JobRow]]:
    """Return the jobs that have waited longest for a set of labels, behind their tickets.

    Nobody else is given them until the transaction ends; those that somebody else is looking at are
    left out.
    """
    rows = connection.execute(
        f"SELECT ticket, {_COLUMNS} FROM jobs WHERE state = 'queued' AND labels = ? "  # noqa: S608
        "ORDER BY ticket LIMIT ? FOR UPDATE SKIP LOCKED",
        (labels, limit),
    ).fetchall()
    return [(str(ticket), _read(row)) for ticket, *row in rows]


def claim_job(
    connection: Connection, row: JobRow, runner: str, now: float, token: str | None = None
) -> bool:
    """Give a queued job to a runner; False where it is not queued any more.

    `token` is the digest of what the job shows.
    """
    changed = connection.execute(
        "UPDATE jobs SET state = 'running', runner = ?, token = ?, claimed = ? "
        "WHERE run = ? AND attempt = ? AND job = ? AND state = 'queued'",
        (runner, token, now, row.run, row.attempt, row.job),
    )
    return changed.rowcount == 1


def renew_token(connection: Connection, row: JobRow, token: str) -> bool:
    """Give a job another token; False where it does not run as that number any more."""
    changed = connection.execute(
        "UPDATE jobs SET token = ? "
        "WHERE run = ? AND attempt = ? AND number = ? AND state = 'running'",
        (token, row.run, row.attempt, row.number),
    )
    return changed.rowcount == 1


def disown_job(connection: Connection, row: JobRow) -> None:
    """Note that a job was ended by somebody else than its runner: it has no token any more."""
    connection.execute(
        "UPDATE jobs SET token = NULL WHERE run = ? AND attempt = ? AND number = ?",
        (row.run, row.attempt, row.number),
    )


def note_received(connection: Connection, row: JobRow, received: int) -> None:
    """Note how many events a job has told; the attempt's row has to be locked."""
    connection.execute(
        "UPDATE jobs SET received = ? WHERE run = ? AND attempt = ? AND number = ?",
        (received, row.run, row.attempt, row.number),
    )


def queue_again(connection: Connection, row: JobRow, now: float) -> bool:
    """Put a job that runs back into the queue, under another number and in its old place.

    False where it does not run as that number any more. The attempt's row has to be locked.
    """
    ((last,),) = connection.execute(
        "SELECT max(number) FROM jobs WHERE run = ? AND attempt = ?", (row.run, row.attempt)
    ).fetchall()
    changed = connection.execute(
        "UPDATE jobs SET state = 'queued', number = ?, runner = NULL, token = NULL, received = 0, "
        "queued = ?, claimed = NULL "
        "WHERE run = ? AND attempt = ? AND number = ? AND state = 'running'",
        (last + 1, now, row.run, row.attempt, row.number),
    )
    return changed.rowcount == 1


def find_by_token(store: Store, digest: str) -> JobRow | None:
    """Return the job that runs and shows a token with that digest."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM jobs WHERE token = ? AND state = 'running'",  # noqa: S608
        (digest,),
    )
    return _read(rows[0]) if rows else None


def runs_job_of(store: Store, runner: str, repository: str) -> bool:
    """Tell whether a runner has a job of a repository that has not ended."""
    rows = store.ask(
        "SELECT 1 FROM jobs JOIN runs ON runs.id = jobs.run "
        "WHERE jobs.runner = ? AND jobs.state = 'running' AND runs.repository = ? LIMIT 1",
        (runner, repository),
    )
    return bool(rows)


def is_anything_due(store: Store) -> bool:
    """Tell whether any runner may be told something: a job, the end of one, or its own."""
    rows = store.ask(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM jobs WHERE state = 'queued') "
        "OR EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND reason IS NOT NULL) "
        "OR EXISTS (SELECT 1 FROM runners WHERE state <> 'active')"
    )
    return bool(rows)


def list_asked_to_end(store: Store) -> set[str]:
    """Return the ids of the runners that have jobs which are asked to end."""
    rows = store.ask(
        "SELECT DISTINCT runner FROM jobs WHERE state = 'running' AND reason IS NOT NULL"
    )
    return {str(runner) for (runner,) in rows}


def list_queued_before(store: Store, moment: float, limit: int) -> list[JobRow]:
    """Return the jobs that nobody has taken since a moment."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM jobs WHERE state = 'queued' AND queued < ? "  # noqa: S608
        "ORDER BY queued LIMIT ?",
        (moment, limit),
    )
    return [_read(row) for row in rows]


def end_job(
    connection: Connection, run: str, attempt: int, job: str, number: int | None = None
) -> bool:
    """Note that a job has ended; False where that is known already, or it has another number."""
    changed = connection.execute(
        "UPDATE jobs SET state = 'ended' "
        "WHERE run = ? AND attempt = ? AND job = ? AND state <> 'ended' "
        "AND number = COALESCE(?, number)",
        (run, attempt, job, number),
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


def force_to_end(connection: Connection, run: str, attempt: int, reason: str) -> None:
    """Note that all jobs of an attempt that run are to end at once; their runners hear of it."""
    connection.execute(
        "UPDATE jobs SET reason = COALESCE(reason, ?), forced = 1 "
        "WHERE run = ? AND attempt = ? AND state = 'running'",
        (reason, run, attempt),
    )


def _read(row: Sequence[Any]) -> JobRow:
    run, attempt, job, number, labels, state, runner, token, received, *rest = row
    reason, forced, queued, claimed = rest
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
        forced=bool(forced),
        queued=queued,
        claimed=claimed,
    )
