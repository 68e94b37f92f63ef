"""Runs that others follow (`on: workflow_run`): told in the transaction that changes an attempt.

A repository remembers of which moments of its runs the workflows of its default branch want to
hear, so that nothing is written for those of which nobody does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.db.connections import Connection

FOLLOW: Final = "follow"
"""The kind of effect that tells a repository of a run of its own."""

Moment: TypeAlias = Literal["requested", "in_progress", "completed"]

TELL: Final = (
    "SELECT ?, 'follow', ?, 0.0 FROM runs "
    "JOIN repositories ON repositories.id = runs.repository "
    "WHERE runs.id = ? AND repositories.followed LIKE ?"
)
"""What `write_tale` gives values to: the row of an effect, or none where nobody follows."""


def write_tale(run: str, attempt: int, moment: Moment) -> tuple[str, str, str, str]:
    """Return the values of TELL."""
    payload = json.dumps({"run": run, "attempt": attempt, "moment": moment})
    return f"{FOLLOW}/{run}/{attempt}/{moment}", payload, run, f"%,{moment},%"


def tell_followers(connection: Connection, run: str, attempt: int, moment: Moment) -> None:
    """Have a repository told of a moment of an attempt, once, where somebody follows."""
    connection.execute(
        f"INSERT INTO effects (id, kind, payload, due) {TELL} ON CONFLICT DO NOTHING",
        write_tale(run, attempt, moment),
    )


def note_followed(connection: Connection, repository: str, moments: Iterable[str]) -> None:
    """Note which moments of a repository's runs others follow."""
    text = "".join(f",{moment}" for moment in sorted(set(moments)))
    connection.execute(
        "UPDATE repositories SET followed = ? WHERE id = ?", (text and f"{text},", repository)
    )
