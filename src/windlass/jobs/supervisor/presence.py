"""The file that says who looks after a job while it runs, for a later Windlass to clean up.

It lies beside the job's log and holds no secret. A process is named by its id and the time it was
started, in clock ticks after boot: ids are given out again, and all of them after a new start of
the machine.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from windlass.jobs.supervisor.tree import start_time
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "supervisor.json"
SCRATCH: Final = f"{NAME}.new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Windlass and the supervisor of one job, as (process id, start), and the job's marks.

    `since` is when the job was opened, in clock ticks after boot; `tracking` are the values of
    RUNNER_TRACKING_ID that its processes carry; `boot` is the machine's id of this uptime.
    """

    boot: str
    since: int
    windlass: tuple[int, int]
    supervisor: tuple[int, int]
    tracking: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Put the file there, whole or not at all.

        Raises:
            OSError: the file system refused.
        """
        values = {name: getattr(self, name) for name in self.__slots__}
        scratch = folder / SCRATCH
        scratch.write_text(json.dumps(values), encoding="utf-8")
        scratch.rename(folder / NAME)


def read_presence(path: Path) -> Presence | None:
    """Return what the file says; None where it is not there, or nonsense."""
    try:
        values = json.loads(path.read_bytes())
        return Presence(
            boot=str(values["boot"]),
            since=int(values["since"]),
            windlass=_read_process(values["windlass"]),
            supervisor=_read_process(values["supervisor"]),
            tracking=tuple(map(str, values["tracking"])),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def name_process(pid: int) -> tuple[int, int]:
    """Return a running process as it is written down."""
    return pid, start_time(pid) or 0


def is_alive(process: tuple[int, int]) -> bool:
    """Tell whether that very process runs."""
    pid, started = process
    return start_time(pid) == started


def name_self() -> tuple[int, int]:
    """Return this process as it is written down."""
    return name_process(os.getpid())


def _read_process(value: list[int]) -> tuple[int, int]:
    pid, started = value
    return int(pid), int(started)
