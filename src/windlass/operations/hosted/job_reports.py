"""What a runner tells of its jobs, taken once: events by number, logs by offset, the end.

Nobody tells anything of a job that is not its own, of one that has ended, or under the name of
another: whoever was taken for lost and comes back hears that the job is gone.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from windlass.db.announcements import add_announcements
from windlass.db.followers import tell_followers
from windlass.db.jobs import find_numbered, note_received
from windlass.db.runs import lock_attempt
from windlass.engine.server.changes import name_attempt, name_log
from windlass.errors import GapError, GoneError, InvalidError, MissingError, PlatformError
from windlass.plan.signals import JobFinished
from windlass.protocol.runner import LOG_FILES, EventsAnswer
from windlass.stores.run_folders import RunFolders

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.db.jobs import JobRow
    from windlass.db.runners import RunnerRow
    from windlass.operations.hosted.site import Site
    from windlass.protocol.runner import EndRequest, EventsRequest, JobId

MOST_LOG_BYTES: Final = 5 << 30
"""More than a runner keeps of a job's log (`windlass.stores.logs.LIMIT_BYTES`)."""

_LONGEST_LINE: Final = 4 << 20
_MOST_OUTPUT_BYTES: Final = 1 << 20
"""What the outputs of one job may have on GitHub.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

_OURS: Final = frozenset({"run-started", "run-finished", "workflow-refused", "output", "waiting"})
"""Events that no runner may tell: they are not about its job, or are in its log."""


def require_job(site: Site, runner: RunnerRow, job: JobId) -> JobRow:
    """Return a job that a runner has taken and that has not ended.

    Raises:
        GoneError: it is not that runner's, or has ended.
    """
    row = find_numbered(site.store, job.run, job.attempt, job.number)
    if row is None or row.runner != runner.id or row.state != "running":
        raise _refuse(job)
    return row


def take_events(site: Site, runner: RunnerRow, job: JobId, request: EventsRequest) -> EventsAnswer:
    """Keep what a job tells of itself; what is known already is skipped.

    Raises:
        GapError: events before these are missing.
        GoneError: the job is not that runner's, or has ended.
        InvalidError: something is no event of that job.
    """
    with site.store.writing() as connection:
        # Two messages about one job are taken one after the other.
        alive = lock_attempt(connection, job.run, job.attempt)
        row = require_job(site, runner, job)
        if not alive:
            raise _refuse(job)
        if request.first > row.received:
            raise GapError("events are missing", expected=row.received)
        lines = request.lines[row.received - request.first :]
        for line in lines:
            _check_line(line, row)
        received = row.received + len(lines)
        if lines:
            add_announcements(connection, job.run, job.attempt, lines)
            note_received(connection, row, received)
            if not row.received:
                tell_followers(connection, job.run, job.attempt, "in_progress")
    if lines:
        site.changes.tell(name_attempt(job.run, job.attempt))
    return EventsAnswer(received, row.reason, row.forced)


def write_log(
    site: Site, runner: RunnerRow, job: JobId, name: str, offset: int, data: bytes
) -> int:
    """Write a piece of a file of a job's log; return how many bytes the file has.

    What is there already stays as it is.

    Raises:
        GapError: bytes before these are missing.
        GoneError: the job is not that runner's, or has ended.
        MissingError: there is no such file.
        InvalidError: the file would be larger than any log is.
        PlatformError: the disk refuses.
    """
    if name not in LOG_FILES:
        raise MissingError(f"a job's log has no file '{name}'", hint=f"it has {LOG_FILES}")
    row = require_job(site, runner, job)
    if offset + len(data) > MOST_LOG_BYTES:
        raise InvalidError(f"a log has up to {MOST_LOG_BYTES} bytes")
    folder = _open_folder(site, row)
    try:
        size, written = _append(folder / name, offset, data)
    except OSError as error:
        raise PlatformError(f"{folder / name} cannot be written: {error.strerror}") from error
    if written:
        site.changes.tell(name_log(row.run, row.attempt, row.number))
    return size


def end_job(site: Site, runner: RunnerRow, job: JobId, request: EndRequest) -> None:
    """Note how a job has ended, of which everything else was told. May be done again.

    Raises:
        GapError: events are missing.
        GoneError: the job is not that runner's, or ended otherwise.
        InvalidError: its outputs are too large.
    """
    row = find_numbered(site.store, job.run, job.attempt, job.number)
    if row is None or row.runner != runner.id or row.token is None:
        raise _refuse(job)
    if row.state == "ended":
        return
    if request.received != row.received:
        raise GapError("events are missing, or too many were told", expected=row.received)
    size = sum(len(name) + len(value) for name, value in request.outputs.items())
    if size > _MOST_OUTPUT_BYTES:
        raise InvalidError(f"the outputs of a job have up to {_MOST_OUTPUT_BYTES} letters")
    signal = JobFinished(row.job, request.result, dict(request.outputs), request.started)
    if not site.runs.tell(row.run, row.attempt, signal, number=row.number):
        _require_ended(site, runner, job)


def _require_ended(site: Site, runner: RunnerRow, job: JobId) -> None:
    """Let a message pass that was overtaken by itself; refuse what is not that runner's now."""
    row = find_numbered(site.store, job.run, job.attempt, job.number)
    if row is None or row.runner != runner.id or row.token is None:
        raise _refuse(job)


def _check_line(line: str, row: JobRow) -> None:
    """Check that a line is an event of a job, of whatever version.

    Raises:
        InvalidError: it is not.
    """
    if len(line) > _LONGEST_LINE or "\n" in line:
        raise InvalidError("an event is one line, and not as long as this one")
    try:
        line.encode()
        values: Any = json.loads(line)
        kind, job, time = values["event"], values["job"], float(values["time"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidError("a line is no event of a job") from error
    if not isinstance(kind, str) or kind in _OURS or job != row.job or not 0 <= time < 1e12:
        raise InvalidError(f"an event is not one that the job '{row.job}' may tell")


def _open_folder(site: Site, row: JobRow) -> Path:
    return RunFolders(site.data).attempt(row.run, row.attempt).open_job(row.number, row.job)


def _append(path: Path, offset: int, data: bytes) -> tuple[int, bool]:
    """Write what a file does not have yet; return its size, and whether that has changed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    number = os.open(path, flags, 0o600)
    try:
        size = os.fstat(number).st_size
        if offset > size:
            raise GapError("bytes are missing", expected=size)
        rest = memoryview(data)[size - offset :]
        end = size
        while rest:
            count = os.pwrite(number, rest, end)
            rest, end = rest[count:], end + count
        return end, end > size
    finally:
        os.close(number)


def _refuse(job: JobId) -> GoneError:
    return GoneError(f"job {job} is not this runner's, or has ended")
