"""Where jobs run: what may stand behind `-P LABEL=`, and the executor that is meant by it.

    host              this machine, as its user

Everything is checked before any job starts: that a place is one of these, and that this machine can
make it. A job never runs elsewhere than where it was said to.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from windlass.errors import UsageError
from windlass.plan.places import HOST, find_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.jobs.executors.interface import Executor
    from windlass.plan.orders import StartJob

KNOWN: Final = (HOST,)


def check_places(places: Mapping[str, str]) -> None:
    """Check where labels are to run, before anything of a run exists.

    Raises:
        UsageError: there is no such place.
        ExecutorError: this machine cannot make it.
    """
    for label, place in places.items():
        if place not in KNOWN:
            raise UsageError(
                f"jobs for '{label}' cannot run in '{place}'",
                hint=f"a place is one of {', '.join(KNOWN)}",
            )


class Executors:
    """The executors of one attempt; each is made when the first job needs it."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """Take where labels are to run.

        Raises:
            UsageError, ExecutorError: as `check_places` does.
        """
        check_places(places)
        self._places = places
        self._lock = threading.Lock()
        self._made: dict[str, Executor] = {}

    def find(self, order: StartJob) -> Executor:
        """Return what runs a job; may be called from several threads."""
        place = find_place(order.labels, self._places)
        with self._lock:
            if place not in self._made:
                self._made[place] = self._make(place)
            return self._made[place]

    def _make(self, place: str) -> Executor:
        # Each is imported only where a job runs so.
        from windlass.jobs.executors.host import HostExecutor

        makers = {HOST: HostExecutor}
        return makers[place]()
