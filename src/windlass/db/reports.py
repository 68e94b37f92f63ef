"""Reports to where a repository is from: asked for in the transaction that changes an attempt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from windlass.db.connections import Connection

REPORT: Final = "report"
"""The kind of effect that reports the state of an attempt."""

TOKEN: Final = "WINDLASS_GITHUB_TOKEN"
"""The secret of a repository that the server itself shows to GitHub."""


def ask_report(
    connection: Connection, run: str, attempt: int, moment: Literal["start", "end"]
) -> None:
    """Have the state of an attempt reported, if its repository has a token for that."""
    payload = json.dumps({"run": run, "attempt": attempt})
    connection.execute(
        "INSERT INTO effects (id, kind, payload, due) "
        "SELECT ?, 'report', ?, 0.0 FROM runs "
        "JOIN repository_values AS held ON held.repository = runs.repository "
        "WHERE runs.id = ? AND held.kind = 'secret' AND held.name = ? ON CONFLICT DO NOTHING",
        (f"{REPORT}/{run}/{attempt}/{moment}", payload, run, TOKEN),
    )
