"""Ending a run that another process carries out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.engine.control import send_control
from windlass.errors import PlatformError, UsageError

if TYPE_CHECKING:
    from windlass.operations.history import Attempt


def cancel_run(attempt: Attempt, *, force: bool = False) -> None:
    """Ask the process that carries an attempt out to end it as GitHub does, or at once.

    Raises:
        UsageError: it does not go on.
        PlatformError: its process cannot be reached.
    """
    run, row = attempt.row.run.id, attempt.row
    if not attempt.is_live:
        state = f"has ended ({row.result})" if row.result else "was interrupted"
        raise UsageError(f"run {run} does not go on: it {state}", hint="`windlass runs` lists all")
    if not send_control(attempt.folder.control, "force" if force else "cancel"):
        raise PlatformError(
            f"the process of run {run} does not listen at {attempt.folder.control}",
            hint="it may just be starting or ending: try again, or press Ctrl-C where it runs",
        )
