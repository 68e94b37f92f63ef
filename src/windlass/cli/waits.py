"""Jobs, and runs, that wait for a concurrency group: who is in it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.terminal import visible

if TYPE_CHECKING:
    from windlass.protocol.events import RunEvent, Waiting

MARK = "…"


def describe_wait(event: Waiting, run: str) -> str:
    """Say what is waited for; `run` is the id of the run that tells it."""
    job = event.holder_job.removesuffix(" / ")
    holders = [f"job '{job}'"] if job else []
    if event.holder_run not in ("", run):
        holders.append(f"run {event.holder_run}")
    who = f", which {' of '.join(holders)} is in" if holders else ""
    return visible(f"waits for the concurrency group '{event.group}'{who}")


def ends_wait(event: RunEvent, waiting: Waiting) -> bool:
    """Tell whether an event about a job says that a wait is over.

    The key of a run is empty, and that of a call ends with ` / `: the jobs inside follow.
    """
    job = getattr(event, "job", None)
    is_group = not waiting.job or waiting.job.endswith(" / ")
    return isinstance(job, str) and (
        job.startswith(waiting.job) if is_group else job == waiting.job
    )
