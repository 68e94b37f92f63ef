"""The labels by which a later Windlass finds what belongs to nobody any more."""

from __future__ import annotations

from typing import Final

from windlass.jobs.supervisor.presence import name_self

OWNER: Final = "windlass.owner"
JOB: Final = "windlass.job"


def own_labels(job: str) -> dict[str, str]:
    """Return the labels of all that this process makes in the daemon for a job."""
    pid, started = name_self()
    return {OWNER: f"{pid}:{started}", JOB: job}
