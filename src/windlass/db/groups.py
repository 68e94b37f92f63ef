"""Who is in which concurrency group, across all processes of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store

State: TypeAlias = Literal["running", "waiting", "displaced"]


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member of a group; `job` is its key within the attempt of a run."""

    run: str
    attempt: int
    job: str
    state: State

    @property
    def id(self) -> str:
        """What the member is called among all others."""
        return f"{self.run}/{self.attempt}/{self.job}"


def lock_group(connection: Connection, group: str) -> None:
    """Keep all others from a group until the transaction ends; only a server needs that."""
    connection.execute(
        "INSERT INTO group_locks (name) VALUES (?) "
        "ON CONFLICT (name) DO UPDATE SET name = excluded.name",
        (group,),
    )


def forget_group(connection: Connection, group: str) -> None:
    """Forget the lock of a group that is empty; it has to be held."""
    connection.execute("DELETE FROM group_locks WHERE name = ?", (group,))


def list_members(connection: Connection, group: str) -> list[MemberRow]:
    """Return the members of a group in the order in which they came."""
    rows = connection.execute(
        "SELECT run, attempt, job, state FROM group_members WHERE name = ? ORDER BY ticket",
        (group,),
    )
    return [MemberRow(*row) for row in rows]


def write_members(connection: Connection, group: str, members: list[MemberRow]) -> None:
    """Replace the members of a group."""
    connection.execute("DELETE FROM group_members WHERE name = ?", (group,))
    connection.executemany(
        "INSERT INTO group_members (name, ticket, run, attempt, job, state) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            (group, ticket, member.run, member.attempt, member.job, member.state)
            for ticket, member in enumerate(members)
        ],
    )


def states_of_attempt(database: Store, run: str, attempt: int) -> dict[str, State]:
    """Return, by job, where the members stand that belong to one attempt."""
    rows = database.ask(
        "SELECT job, state FROM group_members WHERE run = ? AND attempt = ?", (run, attempt)
    )
    return dict(rows)


def groups_of(connection: Connection, run: str, attempt: int, job: str | None) -> list[str]:
    """Return the groups that an attempt is in or waits for, with one of its jobs or with any."""
    rows = connection.execute(
        "SELECT DISTINCT name FROM group_members WHERE run = ? AND attempt = ? "
        "AND job = COALESCE(?, job) ORDER BY name",
        (run, attempt, job),
    )
    return [str(name) for (name,) in rows]
