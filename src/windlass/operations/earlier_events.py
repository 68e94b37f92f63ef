"""What onlookers were told of an attempt before it was interrupted, held against its journal.

Neither knows more than the other for certain: the end of a job is told, then journalled, and a full
disk may have had no room for either. `due` are the keys of the jobs that the journal does not know
to have ended; in events stands what covers a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.engine.announcements import describe_end
from windlass.plan.signals import JobFinished
from windlass.protocol import events
from windlass.protocol.event_lines import read_event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from windlass.engine.key_cover import KeyCover
    from windlass.plan.signals import Signal
    from windlass.protocol.events import RunEvent
    from windlass.stores.run_folders import AttemptFolder


def read_told(folder: AttemptFolder) -> Iterator[RunEvent]:
    """Yield what was told so far of an attempt; output is not kept.

    Raises:
        PlatformError: it cannot be read.
    """
    return (found[0] for found in map(read_event, folder.read_events()) if found)


def find_ended(
    told: Iterable[RunEvent], due: Collection[str], cover: KeyCover
) -> dict[str, events.JobFinished]:
    """Return, by key, the ends of jobs that were told and that the journal does not have."""
    ends: dict[str, events.JobFinished] = {}
    for event in told:
        if isinstance(event, events.JobStarted):
            ends.pop(event.job, None)
        elif isinstance(event, events.JobFinished):
            ends[event.job] = event
    covered = {key: cover.cover(key) for key in due}
    return {key: ends[name] for key, name in covered.items() if name in ends}


def recall_ends(
    told: Iterable[RunEvent], due: Collection[str], cover: KeyCover
) -> Sequence[RunEvent]:
    """Return how jobs ended; those that are due will tell of their ends again."""
    covered = {cover.cover(key) for key in due}
    ends: dict[str, RunEvent] = {
        event.job: event
        for event in told
        if isinstance(event, events.JobFinished | events.JobSkipped) and event.job not in covered
    }
    return tuple(ends.values())


def find_untold(
    told: Iterable[RunEvent], due: Collection[str], signals: Iterable[Signal], cover: KeyCover
) -> Sequence[RunEvent]:
    """Return the ends of jobs that only the journal, with its `signals`, knows."""
    known = {
        cover.uncover(event.job)
        for event in told
        if isinstance(event, events.JobFinished | events.JobSkipped)
    }
    return tuple(
        describe_end(signal, signal.key)
        for signal in signals
        if isinstance(signal, JobFinished) and signal.key not in known and signal.key not in due
    )
