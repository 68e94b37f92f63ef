"""Who is writing something, told in a way in which it can be asked whether they still do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from windlass.services.jobs import ServedJob


class Owners(Protocol):
    """What jobs are called where they hold something. Threads may share it."""

    def name(self, job: ServedJob) -> str:
        """Return what a job is called."""

    def is_alive(self, owner: str) -> bool:
        """Tell whether whoever is called so may still be writing."""


class ProcessOwners:
    """Jobs that are served by a process of this machine, and alive for as long as that one is."""

    def name(self, job: ServedJob) -> str:
        """Return what a job is called: its process of Windlass, then itself."""
        return f"{os.getpid()}/{job.job_id}"

    def is_alive(self, owner: str) -> bool:
        """Tell whether the process lives."""
        process = owner.partition("/")[0]
        if not process.isdigit():
            return False
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
