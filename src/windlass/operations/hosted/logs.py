"""What was told of an attempt, and what its jobs printed, for whoever reads on from a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.db.announcements import count_announcements, read_page
from windlass.db.jobs import find_numbered
from windlass.db.runs import list_attempts
from windlass.errors import InputError, MissingError
from windlass.model.values import dataclass
from windlass.stores.logs import JobLogReader
from windlass.stores.run_folders import RunFolders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.db.runs import AttemptRow
    from windlass.model.status import Result
    from windlass.operations.hosted.site import Site
    from windlass.stores.log_index import LogBlock

EVENTS_AT_ONCE: Final = 256
BYTES_AT_ONCE: Final = 1 << 17
LARGEST_BLOCK_BYTES: Final = 8 << 20
"""What a runner writes at once is less: the longest line, and what came with it."""

_FILES: Final = ("log", "log.index", "log.steps")


@dataclass(frozen=True, slots=True)
class Told:
    """Events of an attempt, as lines of JSON, the first of them numbered `first`.

    `result` is None while the attempt goes on: then more may come.
    """

    first: int
    lines: tuple[str, ...]
    result: Result | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Lines that one step printed at one time (Unix time); the first is number `first` of the job.

    Lines are without their ends.
    """

    first: int
    step: str
    time: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogPart:
    """A part of a log; `is_over` says that its job had ended before it was read."""

    printed: tuple[Printed, ...]
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOfRun:
    """A job is the number-th of an attempt."""

    run: str
    attempt: int
    number: int


def find_attempt(site: Site, run: str, attempt: int | None = None) -> AttemptRow:
    """Return an attempt of a run, the last one if none is named.

    Raises:
        MissingError: there is none.
    """
    rows = list_attempts(site.store, run)
    if not rows:
        raise MissingError(f"there is no run '{run}'", hint="`windlass runs` lists them")
    found = [row for row in rows if attempt in (None, row.attempt)]
    if not found:
        raise MissingError(
            f"run {run} has no attempt {attempt}", hint=f"its last one is {rows[-1].attempt}"
        )
    return found[-1]


def find_job(site: Site, run: str, attempt: int | None, number: int) -> JobOfRun:
    """Return a job of an attempt, of the last one if none is named.

    Raises:
        MissingError: there is none.
    """
    row = find_attempt(site, run, attempt)
    job = JobOfRun(run=run, attempt=row.attempt, number=number)
    if find_numbered(site.store, run, row.attempt, number) is None and find_log(site, job) is None:
        raise MissingError(f"attempt {row.attempt} of run {run} has no job {number}")
    return job


def count_events(site: Site, run: str, attempt: int) -> int:
    """Return how many events of an attempt there are."""
    return count_announcements(site.store, run, attempt)


def read_events(site: Site, run: str, attempt: int, first: int = 0) -> Told:
    """Return some events from number `first` on; none where there are none yet.

    They end at a multiple of EVENTS_AT_ONCE, so that those who read on from different places soon
    read the same; where they are large there are fewer.

    Raises:
        MissingError: the attempt is not there, or not any more.
    """
    # Asked before the events: after an attempt has ended nothing is told of it.
    result = find_attempt(site, run, attempt).result
    limit = EVENTS_AT_ONCE - first % EVENTS_AT_ONCE
    lines = read_page(site.store, run, attempt, first, limit, BYTES_AT_ONCE)
    return Told(first, tuple(lines), result)


def find_log(site: Site, job: JobOfRun) -> Path | None:
    """Return where the log of a job lies; None where it has none yet."""
    folder = RunFolders(site.data).attempt(job.run, job.attempt).path / "jobs" / str(job.number)
    return folder / _FILES[0] if all((folder / name).exists() for name in _FILES) else None


def count_lines(site: Site, job: JobOfRun) -> int:
    """Return how many lines the log of a job has."""
    path = find_log(site, job)
    if path is None:
        return 0
    with JobLogReader(path) as reader:
        return reader.line_count


def read_lines(site: Site, job: JobOfRun, first: int = 0) -> LogPart:
    """Return some lines from number `first` on; none where there are none yet.

    They end where the log passes a multiple of BYTES_AT_ONCE, for the same reason as events do.

    Raises:
        InputError: the log is damaged.
        MissingError: the job is not there any more.
    """
    row = find_numbered(site.store, job.run, job.attempt, job.number)
    path = find_log(site, job)
    if path is None and row is None:
        raise MissingError(f"run {job.run} and its log are not kept any more")
    # A job whose runner was lost may have been queued again, under another number.
    is_over = row is None or row.state == "ended"
    if path is None:
        return LogPart((), is_over)
    with JobLogReader(path) as reader:
        return LogPart(tuple(_read_blocks(reader, first)), is_over)


def _read_blocks(reader: JobLogReader, first: int) -> Iterator[Printed]:
    begun: int | None = None
    for block in reader.blocks(reader.find_block(first)):
        if block.lines < 0:
            raise _call_damaged(block)
        skipped = max(0, first - block.first_line)
        if skipped < block.lines:
            yield Printed(
                first=block.first_line + skipped,
                step=block.step,
                time=block.time,
                lines=tuple(_read_texts(reader, block)[skipped:]),
            )
        begun = block.start if begun is None else begun
        if block.end // BYTES_AT_ONCE > begun // BYTES_AT_ONCE and block.lines:
            return


def _read_texts(reader: JobLogReader, block: LogBlock) -> list[str]:
    """Return the lines of a block, as many as its index says.

    The index is a runner's, as the log is: it may say anything.

    Raises:
        InputError: it says what cannot be.
    """
    size = block.end - block.start
    if not block.lines <= size <= LARGEST_BLOCK_BYTES:
        raise _call_damaged(block)
    texts = reader.read_block(block).decode(errors="replace").split("\n")[: block.lines]
    return texts + [""] * (block.lines - len(texts))


def _call_damaged(block: LogBlock) -> InputError:
    return InputError(f"the log is damaged from line {block.first_line} on")


def measure_log(site: Site, job: JobOfRun) -> int:
    """Return how many bytes of a job's log there are."""
    path = find_log(site, job)
    if path is None:
        return 0
    with JobLogReader(path) as reader:
        return reader.size


def read_bytes(site: Site, job: JobOfRun, start: int, size: int) -> bytes:
    """Return bytes of a job's log from one offset on, as many of `size` as there are."""
    path = find_log(site, job)
    if path is None:
        return b""
    with JobLogReader(path) as reader:
        return reader.read(start, size)
