"""The summary of a run as Markdown: what its steps wrote to GITHUB_STEP_SUMMARY, job by job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.operations.earlier_events import read_told
from windlass.protocol.events import JobFinished, JobStarted, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.operations.history import Attempt
    from windlass.protocol.events import RunEvent


def summarise_attempt(attempt: Attempt) -> str:
    """Return the summary of an attempt as far as it has come.

    Raises:
        PlatformError: its events cannot be read.
    """
    return lay_out_summaries(read_told(attempt.folder))


def lay_out_summaries(events: Iterable[RunEvent]) -> str:
    """Return one document in the order in which the jobs began, or "" where no step wrote any.

    Each job has a heading of its own, as on GitHub's page of a run.
    """
    names: dict[str, str] = {}
    written: dict[str, list[str]] = {}
    for event in events:
        match event:
            case JobStarted():
                names[event.job] = event.name
                written.pop(event.job, None)  # the run was resumed, and the job began anew
            case JobFinished():
                names[event.job] = event.name
            case Summary():
                written.setdefault(event.job, []).append(event.markdown.strip("\n"))
    ordered = dict.fromkeys((*names, *written))
    return "\n".join(_lay_out(names.get(it, it), written[it]) for it in ordered if it in written)


def _lay_out(name: str, parts: list[str]) -> str:
    heading = " ".join(name.split())
    return f"## {heading} summary\n\n" + "".join(f"{part}\n" for part in parts)
