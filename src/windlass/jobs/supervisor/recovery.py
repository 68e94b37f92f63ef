"""Brings the log of a job to its end when the Windlass that was writing it has died."""

from __future__ import annotations

import contextlib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.jobs.log import LineSplitter, StepLog
from windlass.jobs.masking import Masker
from windlass.jobs.supervisor.presence import NAME, SCRATCH
from windlass.jobs.supervisor.spool import read_pipe, read_segments
from windlass.lang.commands import parse_command
from windlass.model.values import dataclass
from windlass.stores.log_index import Taken
from windlass.stores.logs import JobLogReader, JobLogWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LOG_NAME: Final = "log"
LAST_WORDS: Final = b"Windlass was killed while this step ran; the step was ended with it.\n"
UNMASKED: Final = (
    b"Windlass and the supervisor of this job were killed while it ran. What the job had printed "
    b"last is not kept: nobody knows any more what in it is secret.\n"
)
ADD_MASK: Final = "add-mask"
STOP: Final = "stop-commands"


@dataclass(frozen=True, slots=True)
class Left:
    """A process that was killed: the key of its step, the pipe it printed to, its spool."""

    step: str
    output: int
    segments: Mapping[int, int]


def finish_log(folder: str, left: Mapping[int, Left], masks: Iterable[str]) -> None:
    """Add to the log of a job what its processes had printed and Windlass had not taken yet.

    Everything is masked; runner commands are not carried out but for `add-mask`, and stay in the
    log as they are.

    Raises:
        PlatformError: the log cannot be written.
    """
    path = Path(folder, LOG_NAME)
    writer = JobLogWriter(path)
    masker = Masker()
    for mask in masks:
        masker.add_text(mask)
    taken = _read_taken(path)
    for process, it in left.items():
        since = taken.get(process, Taken(process))
        blocks = chain(read_segments(it.segments, since.offset), read_pipe(it.output))
        _append(writer, it.step, masker, since, blocks)
        writer.write(it.step, LAST_WORDS)
    writer.close()
    forget(folder)


def close_log(folder: str) -> None:
    """Bring a log to its end when the supervisor has died too, and with it all that it knew.

    Raises:
        PlatformError: the log cannot be written.
    """
    path = Path(folder, LOG_NAME)
    if path.exists():
        with JobLogReader(path) as reader:
            last = [block.step for block in reader.blocks()][-1:]
        writer = JobLogWriter(path)
        writer.write("".join(last), UNMASKED)
        writer.close()
    forget(folder)


def forget(folder: str) -> None:
    """Remove what was there for the time that the job ran."""
    for name in (NAME, SCRATCH):
        with contextlib.suppress(FileNotFoundError):
            Path(folder, name).unlink()


def _read_taken(path: Path) -> dict[int, Taken]:
    """Return how far the output of each process has come into the log."""
    with JobLogReader(path) as reader:
        return {it.taken.process: it.taken for it in reader.blocks() if it.taken.process}


def _append(
    writer: JobLogWriter, step: str, masker: Masker, state: Taken, blocks: Iterable[bytes]
) -> None:
    log = StepLog(masker, lambda _: None, writer=writer, step=step)

    def find(line: str) -> Callable[[], None] | None:
        command = parse_command(line, (ADD_MASK, STOP))
        if command is None:
            return None
        masker.add_text(command.data)
        masker.add(command.data)
        return _do_nothing if command.name.lower() == ADD_MASK else None

    def refuse(beginning: str) -> bool:
        return parse_command(beginning, (ADD_MASK, STOP)) is not None

    lines = LineSplitter(log, find, refuse, since=state)
    for block in blocks:
        lines.feed(block)
    lines.finish()


def _do_nothing() -> None:
    """Stand for a command that has been carried out already."""
