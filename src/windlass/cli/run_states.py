"""How the states of runs, jobs and steps look: results, and those of what has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.cli.marks import MARKS, STYLES
from windlass.cli.waits import MARK as WAITING
from windlass.model.status import Result

if TYPE_CHECKING:
    from windlass.cli.terminal import Style, Terminal
    from windlass.operations.history import Attempt
    from windlass.operations.run_views import Status

_OPEN_MARKS: Final = {"queued": WAITING, "waiting": WAITING, "running": "▸", "interrupted": "↯"}
_OPEN_STYLES: Final[dict[str, Style]] = {
    "queued": "dim",
    "waiting": "dim",
    "running": "cyan",
    "interrupted": "yellow",
}


def describe_state(attempt: Attempt) -> Status:
    """Return the result of an attempt, or `running`, or `interrupted`."""
    if attempt.row.result is not None:
        return attempt.row.result
    return "running" if attempt.is_live else "interrupted"


def paint_status(status: Status, terminal: Terminal) -> str:
    """Return the mark of a state."""
    if isinstance(status, Result):
        return terminal.paint(MARKS[status], STYLES[status])
    return terminal.paint(_OPEN_MARKS[status], _OPEN_STYLES[status])
