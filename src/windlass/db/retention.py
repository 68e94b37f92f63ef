"""Which runs of a server are old or too many, and what goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.db.connections import marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.db.connections import Connection, Store

_ENDED_BEFORE: Final = (
    "runs.state <> 'running' AND runs.created < ? AND NOT EXISTS (SELECT 1 FROM attempts "
    "WHERE attempts.run = runs.id AND (attempts.finished IS NULL OR attempts.finished >= ?))"
)


def list_old_runs(store: Store, before: float, limit: int) -> list[str]:
    """Return runs of which all attempts ended before a moment, the oldest first."""
    rows = store.ask(
        f"SELECT id FROM runs WHERE {_ENDED_BEFORE} ORDER BY created, id LIMIT ?",  # noqa: S608
        (before, before, limit),
    )
    return [run for (run,) in rows]


def list_old_among(store: Store, runs: Sequence[str], before: float) -> list[str]:
    """Return those of some runs of which all attempts ended before a moment."""
    rows = store.ask(
        f"SELECT id FROM runs WHERE {_ENDED_BEFORE} AND id IN ({marks(runs)})",  # noqa: S608
        (before, before, *runs),
    )
    return [run for (run,) in rows]


def list_unknown(store: Store, runs: Sequence[str]) -> list[str]:
    """Return those of some ids that are of no run."""
    question = f"SELECT id FROM runs WHERE id IN ({marks(runs)})"  # noqa: S608
    known = {run for (run,) in store.ask(question, tuple(runs))}
    return [run for run in runs if run not in known]


def list_repositories_of_runs(store: Store) -> list[str]:
    """Return the ids of the repositories that have runs, also of those that were removed."""
    return [name for (name,) in store.ask("SELECT DISTINCT repository FROM runs")]


def list_surplus_runs(store: Store, repository: str, keep: int, limit: int) -> list[str]:
    """Return the ended runs of a repository that are not among its newest, the oldest first."""
    edge = store.ask(
        "SELECT created, id FROM runs WHERE repository = ? "
        "ORDER BY created DESC, id DESC LIMIT 1 OFFSET ?",
        (repository, keep),
    )
    if not edge:
        return []
    created, run = edge[0]
    rows = store.ask(
        "SELECT id FROM runs WHERE repository = ? AND state <> 'running' "
        "AND (created < ? OR (created = ? AND id <= ?)) ORDER BY created, id LIMIT ?",
        (repository, created, created, run, limit),
    )
    return [found for (found,) in rows]


def list_busy_repositories(store: Store) -> set[str]:
    """Return the repositories of which a job runs, or waits for a runner."""
    rows = store.ask(
        "SELECT DISTINCT runs.repository FROM jobs JOIN runs ON runs.id = jobs.run "
        "WHERE jobs.state IN ('queued', 'running')"
    )
    return {str(repository) for (repository,) in rows}


def list_used_commits(store: Store, repository: str, commits: Sequence[str]) -> set[str]:
    """Return those of some commits that runs of a repository are about."""
    rows = store.ask(
        f"SELECT DISTINCT sha FROM runs WHERE repository = ? AND sha IN ({marks(commits)})",  # noqa: S608
        (repository, *commits),
    )
    return {str(sha) for (sha,) in rows}


def remove_ended_runs(connection: Connection, runs: Sequence[str]) -> int:
    """Forget runs with all that is of them, but none that goes on; return how many those were."""
    return sum(
        connection.execute("DELETE FROM runs WHERE id = ? AND state <> 'running'", (run,)).rowcount
        for run in runs
    )
