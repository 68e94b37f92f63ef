"""The machines that take a server's jobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.db.connections import Connection, Store

State: TypeAlias = Literal["active", "draining", "revoked"]

_COLUMNS: Final = (
    "id, name, labels, capacity, ephemeral, credential, version, protocol, state, patience, "
    "created, seen"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerRow:
    """A runner; `credential` is the SHA-256 of what it shows, `capacity` how many jobs it runs.

    One that is `ephemeral` runs one job and leaves. One that is draining takes no more jobs, the
    credential of a revoked one is not good any more. It counts as lost when it was not `seen` for
    `patience` seconds; `created` and `seen` are seconds since the epoch.
    """

    id: str
    name: str
    labels: tuple[str, ...]
    capacity: int
    ephemeral: bool
    credential: str = field(repr=False)
    version: str
    protocol: int
    state: State = "active"
    patience: float
    created: float
    seen: float


def add_runner(connection: Connection, row: RunnerRow) -> bool:
    """Enter a runner; False where there is one of that name."""
    added = connection.execute(
        f"INSERT INTO runners ({_COLUMNS}) "  # noqa: S608
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
        (
            row.id,
            row.name,
            json.dumps(list(row.labels)),
            row.capacity,
            int(row.ephemeral),
            row.credential,
            row.version,
            row.protocol,
            row.state,
            row.patience,
            row.created,
            row.seen,
        ),
    )
    return added.rowcount == 1


def list_runners(store: Store) -> list[RunnerRow]:
    """Return all runners, by name."""
    rows = store.ask(f"SELECT {_COLUMNS} FROM runners ORDER BY name")  # noqa: S608
    return [_read(row) for row in rows]


def find_runner(store: Store, runner: str) -> RunnerRow | None:
    """Return a runner by its id."""
    rows = store.ask(f"SELECT {_COLUMNS} FROM runners WHERE id = ?", (runner,))  # noqa: S608
    return _read(rows[0]) if rows else None


def find_by_credential(store: Store, digest: str) -> RunnerRow | None:
    """Return a runner by the digest of what it shows, also one that was revoked."""
    rows = store.ask(
        f"SELECT {_COLUMNS} FROM runners WHERE credential = ?",  # noqa: S608
        (digest,),
    )
    return _read(rows[0]) if rows else None


def list_busy(store: Store) -> list[RunnerRow]:
    """Return the runners that have jobs which have not ended."""
    columns = ", ".join(f"runners.{name.strip()}" for name in _COLUMNS.split(","))
    rows = store.ask(
        f"SELECT {columns} FROM runners WHERE EXISTS "  # noqa: S608
        "(SELECT 1 FROM jobs WHERE jobs.runner = runners.id AND jobs.state = 'running')"
    )
    return [_read(row) for row in rows]


def list_inactive(store: Store) -> set[str]:
    """Return the ids of the runners that drain or were revoked."""
    return {str(row[0]) for row in store.ask("SELECT id FROM runners WHERE state <> 'active'")}


def see_runner(connection: Connection, runner: str, now: float) -> None:
    """Note that a runner was heard of."""
    connection.execute("UPDATE runners SET seen = ? WHERE id = ?", (now, runner))


def lock_silent(connection: Connection, runner: str, seen: float) -> bool:
    """Keep a runner as it is until the transaction ends; False where it was heard of since."""
    changed = connection.execute(
        "UPDATE runners SET state = state WHERE id = ? AND seen = ?", (runner, seen)
    )
    return changed.rowcount == 1


def is_unknown(connection: Connection, runner: str) -> bool:
    """Tell whether there is no such runner: it was removed."""
    return not connection.execute("SELECT 1 FROM runners WHERE id = ?", (runner,)).fetchall()


def lock_active(connection: Connection, runner: str) -> bool:
    """Keep a runner as it is until the transaction ends; False where it may take no jobs."""
    changed = connection.execute(
        "UPDATE runners SET state = state WHERE id = ? AND state = 'active'", (runner,)
    )
    return changed.rowcount == 1


def set_state(connection: Connection, runner: str, state: State) -> bool:
    """Note whether a runner takes jobs; False where there is no such one, or it was revoked."""
    changed = connection.execute(
        "UPDATE runners SET state = ? WHERE id = ? AND (state <> 'revoked' OR ? = 'revoked')",
        (state, runner, state),
    )
    return changed.rowcount == 1


def remove_runner(connection: Connection, runner: str) -> bool:
    """Forget a runner; False where there is no such one."""
    return connection.execute("DELETE FROM runners WHERE id = ?", (runner,)).rowcount == 1


def _read(row: Sequence[Any]) -> RunnerRow:
    names = [name.strip() for name in _COLUMNS.split(",")]
    values = dict(zip(names, row, strict=True))
    labels, ephemeral = tuple(json.loads(values["labels"])), bool(values["ephemeral"])
    return RunnerRow(**{**values, "labels": labels, "ephemeral": ephemeral})
