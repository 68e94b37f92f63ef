"""What is told of an attempt elsewhere: asked for in the transaction that changes it.

Its state is reported to where its repository is from, and told to those who follow its workflow.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

from windlass.db.followers import TELL, write_tale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.db.connections import Connection
    from windlass.db.followers import Moment

_MOMENTS: Final[Mapping[str, Moment]] = {"start": "requested", "end": "completed"}
REPORT: Final = "report"
"""The kind of effect that reports the state of an attempt."""

TOKEN: Final = "WINDLASS_GITHUB_TOKEN"
"""The secret of a repository that the server itself shows to GitHub."""


def ask_report(
    connection: Connection, run: str, attempt: int, moment: Literal["start", "end"]
) -> None:
    """Have the state of an attempt told, if its repository has a token for that, or followers."""
    payload = json.dumps({"run": run, "attempt": attempt})
    connection.execute(
        "INSERT INTO effects (id, kind, payload, due) "  # noqa: S608
        "SELECT ?, 'report', ?, 0.0 FROM runs "
        "JOIN repository_values AS held ON held.repository = runs.repository "
        f"WHERE runs.id = ? AND held.kind = 'secret' AND held.name = ? UNION ALL {TELL} "
        "ON CONFLICT DO NOTHING",
        (
            *(f"{REPORT}/{run}/{attempt}/{moment}", payload, run, TOKEN),
            *write_tale(run, attempt, _MOMENTS[moment]),
        ),
    )
