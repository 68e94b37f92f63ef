"""Runs the command line and kills it, as `kill -9` would, at a chosen point of its history.

    python -m windlass.testing.crash POINT run push …

A point is the moment before or after a signal is written to the journal, an order is carried out,
or an event is appended to the run's folder; they are numbered from 1, in the order in which they
are met. With POINT 0 nothing is killed, and the last line on stderr says how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from functools import wraps
from typing import TYPE_CHECKING, Any

from windlass.engine.dispatch import LocalDispatcher
from windlass.engine.journals.local import LocalJournal
from windlass.stores.run_folders import AttemptFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PLACES: tuple[tuple[type[Any], str], ...] = (
    (LocalJournal, "append"),
    (LocalJournal, "finish"),
    (LocalDispatcher, "carry_out"),
    (AttemptFolder, "write_definition"),
    (AttemptFolder, "append_event"),
)
"""The methods around which there is a point before and a point after."""


class Countdown:
    """Counts points and kills this process at one of them; 0 is none."""

    def __init__(self, fatal: int) -> None:
        self._fatal = fatal
        self._lock = threading.Lock()
        self.count = 0

    def reach(self) -> None:
        """Reach the next point."""
        with self._lock:
            self.count += 1
            if self.count == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def surround(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method with a point before and a point after it."""

        @wraps(method)
        def counted(*arguments: Any, **options: Any) -> Any:
            self.reach()
            answer = method(*arguments, **options)
            self.reach()
            return answer

        return counted


def main(words: Sequence[str]) -> int:
    """Run the command line with a countdown and return its exit code."""
    from windlass.cli.main import main as run_command_line

    countdown = Countdown(int(words[0]))
    for kind, name in PLACES:
        setattr(kind, name, countdown.surround(getattr(kind, name)))
    code = run_command_line(words[1:])
    sys.stderr.write(f"{countdown.count} points\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
