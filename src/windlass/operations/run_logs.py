"""The logs of a run's jobs: which there are, and what they hold."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from windlass.errors import InputError
from windlass.lang.casing import equals_ignoring_case
from windlass.model.status import Result
from windlass.model.values import dataclass
from windlass.operations.run_views import show_attempt
from windlass.stores.logs import JobLogReader, LogLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from windlass.operations.history import Attempt
    from windlass.operations.run_views import JobView

FOLLOW_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChoice:
    """Which lines are wanted: of one job, of one step, only of failed steps, only the last ones."""

    job: str | None = None
    step: str | None = None
    failed: bool = False
    tail: int | None = None


@dataclass(frozen=True, slots=True)
class JobLog:
    """The log of one job; `steps` are the keys of the steps that are wanted, None for all."""

    job: JobView
    path: Path
    steps: tuple[str, ...] | None


def find_logs(attempts: Sequence[Attempt], choice: LogChoice) -> list[JobLog]:
    """Return the logs of the last of some attempts; a job that was kept has an earlier log.

    Raises:
        InputError: no job or step is called so.
        PlatformError: the history cannot be read.
    """
    jobs = choose_jobs(list(show_attempt(attempts[-1]).jobs.values()), choice)
    logs = []
    for job in jobs:
        path = _find_path(attempts, job.key)
        steps = choose_steps(job, choice)
        if path is not None and steps != ():
            logs.append(JobLog(job, path, steps))
    if choice.step is not None and not logs:
        names = dict.fromkeys(name for job in jobs for name in _names_of_steps(job))
        raise InputError(
            f"no step '{choice.step}' has a log", hint=f"the steps are {', '.join(names)}"
        )
    return logs


def read_log(log: JobLog, tail: int | None = None) -> Iterator[LogLine]:
    """Yield the lines of a log, or the last ones.

    Raises:
        InputError: it cannot be read.
    """
    with JobLogReader(log.path) as reader:
        if tail is None:
            yield from _read_new(reader, log.steps, 0)[0]
        elif log.steps is None:
            yield from reader.tail(tail)
        else:
            found = [line for step in log.steps for line in reader.tail(tail, step)]
            yield from sorted(found, key=lambda line: line.number)[-tail:] if tail else ()


def read_texts(log: JobLog) -> Iterator[tuple[str, str]]:
    """Yield the lines of a log in texts of many, each with the step that printed it.

    The last line of each text is without its end.

    Raises:
        InputError: it cannot be read.
    """
    with JobLogReader(log.path) as reader:
        for block in reader.blocks():
            if block.lines and (log.steps is None or block.step in log.steps):
                text = reader.read_block(block)[:-1].decode(errors="replace")
                yield block.step, text


def follow_logs(
    attempts: Sequence[Attempt], choice: LogChoice
) -> Iterator[tuple[JobView, LogLine]]:
    """Yield lines as they come, with their jobs, until the run has ended; the existing ones first.

    With `tail` no more than so many of these, of each job.

    Raises:
        InputError: a log cannot be read.
    """
    with contextlib.ExitStack() as stack:
        readers: dict[Path, JobLogReader] = {}
        positions: dict[Path, int] = {}
        while True:
            # Asked before the logs are read: what comes in between is read for the last time.
            is_live = attempts[-1].is_live
            for log in _find_present(attempts, choice):
                if log.path not in readers:
                    readers[log.path] = stack.enter_context(JobLogReader(log.path))
                    lines, positions[log.path] = _read_first(readers[log.path], log, choice.tail)
                else:
                    lines, positions[log.path] = _read_new(
                        readers[log.path], log.steps, positions[log.path]
                    )
                for line in lines:
                    yield log.job, line
            if not is_live:
                return
            time.sleep(FOLLOW_SECONDS)


def _read_first(
    reader: JobLogReader, log: JobLog, tail: int | None
) -> tuple[Iterator[LogLine], int]:
    lines, position = _read_new(reader, log.steps, 0)
    return (lines if tail is None else read_log(log, tail)), position


def _find_present(attempts: Sequence[Attempt], choice: LogChoice) -> list[JobLog]:
    """Return the logs there are so far; the job or the step may still come."""
    with contextlib.suppress(InputError):
        return find_logs(attempts, choice)
    return []


def _read_new(
    reader: JobLogReader, steps: tuple[str, ...] | None, first: int
) -> tuple[Iterator[LogLine], int]:
    """Return the lines from one block on, block by block, and the number of the next block."""
    blocks = list(reader.blocks(first))
    wanted = [block for block in blocks if steps is None or block.step in steps]

    def read() -> Iterator[LogLine]:
        for block in wanted:
            texts = reader.read_block(block).split(b"\n")[:-1]
            for number, text in enumerate(texts, block.first_line):
                yield LogLine(number, block.step, block.time, text.decode(errors="replace"))

    return read(), blocks[-1].number + 1 if blocks else first


def choose_jobs(jobs: list[JobView], choice: LogChoice) -> list[JobView]:
    """Return the jobs that are wanted.

    Raises:
        InputError: no job is called so.
    """
    if choice.failed:
        jobs = [job for job in jobs if job.status == Result.FAILURE]
    if choice.job is None:
        return jobs
    found = [job for job in jobs if choice.job in (job.key, job.name)]
    found = found or [job for job in jobs if _is_leg(job.key, choice.job)]
    if not found:
        names = ", ".join(job.key for job in jobs)
        raise InputError(f"there is no job '{choice.job}'", hint=f"the jobs are {names or 'none'}")
    return found


def _is_leg(key: str, job: str) -> bool:
    """Tell whether a key is that of a job, ignoring case, or of one leg of it."""
    return equals_ignoring_case(key[: len(job)], job) and key[len(job) :][:2] in ("", " (", " /")


def choose_steps(job: JobView, choice: LogChoice) -> tuple[str, ...] | None:
    """Return the keys of the steps of a job that are wanted; None for all of them."""
    if choice.step is not None:
        wanted = choice.step
        return tuple(
            step.id
            for step in job.steps.values()
            if wanted == step.id or equals_ignoring_case(wanted, step.name)
        )
    if choice.failed:
        failed = (step.id for step in job.steps.values() if step.conclusion is Result.FAILURE)
        return tuple(failed) or None
    return None


def _names_of_steps(job: JobView) -> list[str]:
    return [step.name for step in job.steps.values()]


def _find_path(attempts: Sequence[Attempt], key: str) -> Path | None:
    for attempt in reversed(attempts):
        folder = attempt.folder.jobs().get(key)
        if folder is not None and (folder / "log").exists():
            return folder / "log"
    return None
