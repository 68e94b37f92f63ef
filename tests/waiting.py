"""Waiting for what others do: asking again until it is done, and not for ever."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 60
PAUSE_MILLISECONDS = 50


def wait_until(
    holds: Callable[[], bool],
    seconds: float = SECONDS,
    *,
    pause_milliseconds: int = PAUSE_MILLISECONDS,
) -> bool:
    """Ask whether something holds until it does; return whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    pause = select.poll()
    while not holds():
        if time.monotonic() > deadline:
            return False
        pause.poll(pause_milliseconds)
    return True
