"""Every moment at which something of a run is written down or carried out, and its sudden end."""

from __future__ import annotations

import os
import signal
import stat
import threading
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from windlass.db.database import Database
from windlass.engine.dispatch import LocalDispatcher
from windlass.engine.journals.local import LocalJournal
from windlass.jobs.supervisor.client import Supervisor
from windlass.stores.logs import JobLogWriter
from windlass.stores.run_folders import AttemptFolder, RunFolders

if TYPE_CHECKING:
    from collections.abc import Callable

Point = tuple[str, int]
"""A moment: what is done, and for which time, from 1."""

BEFORE: Final[tuple[tuple[type[Any], str], ...]] = (
    (Database, "__init__"),
    (RunFolders, "create"),
    (AttemptFolder, "append_event"),
    (AttemptFolder, "open_job"),
    (AttemptFolder, "write_tree"),
    (AttemptFolder, "write_summary"),
    (JobLogWriter, "__init__"),
    (JobLogWriter, "write"),
    (Supervisor, "__init__"),
    (Supervisor, "close"),
)
"""Before each of their calls there is a point. What they write ends in one of CALLS."""

AROUND: Final[tuple[tuple[type[Any], str], ...]] = (
    (LocalJournal, "append"),
    (LocalJournal, "finish"),
    (LocalDispatcher, "carry_out"),
    (AttemptFolder, "claim"),
    (AttemptFolder, "write_definition"),
    (JobLogWriter, "close"),
)
"""The same, and a point after each."""

HALF: Final = "half of os.write"
CALLS: Final = ("write", "pwrite", "splice", "ftruncate", "replace", "rename", "posix_spawn")
"""After each call of these functions of `os`; and of a write to a file there is a half, too."""


class Points:
    """Counts the points of this process; at the fatal one something is done, a kill by default."""

    def __init__(
        self,
        fatal: Point | None = None,
        deed: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGKILL),
        told: int | None = None,
    ) -> None:
        """`told` is an open file that hears the name of each point."""
        self._fatal = fatal
        self._deed = deed
        self._told = told
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._write = os.write

    def install(self) -> None:
        """Put points around everything, in this process."""
        for kind, name in (*BEFORE, *AROUND):
            ends = ("before", "after") if (kind, name) in AROUND else ("before",)
            self._surround(kind, name, f"{kind.__name__}.{name}", ends)
        for name in CALLS:
            self._surround(os, name, f"os.{name}", ("after",))
        whole = os.write

        @wraps(whole)
        def write(descriptor: int, data: Any) -> int:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            if is_file and self._is_due(HALF):
                self._write(descriptor, bytes(data)[: len(data) // 2])
                self._deed()
            return whole(descriptor, data) if is_file else self._write(descriptor, data)

        os.write = write  # type: ignore[assignment]

    def _surround(self, owner: Any, name: str, label: str, ends: tuple[str, ...]) -> None:
        function = getattr(owner, name)

        @wraps(function)
        def surrounded(*arguments: Any, **options: Any) -> Any:
            if "before" in ends:
                self.reach(f"before {label}")
            answer = function(*arguments, **options)
            if "after" in ends:
                self.reach(f"after {label}")
            return answer

        setattr(owner, name, surrounded)

    def reach(self, name: str) -> None:
        """Come to the next point of a name."""
        if self._is_due(name):
            self._deed()

    def _is_due(self, name: str) -> bool:
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1
            if self._told is not None:
                self._write(self._told, f"{name}\n".encode())
            return (name, self._counts[name]) == self._fatal
