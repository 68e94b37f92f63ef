"""Brings the log of a job to its end when the Windlass that was writing it has died."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.jobs.log import LineSplitter, StepLog
from windlass.jobs.masking import Masker
from windlass.jobs.supervisor.presence import NAME, SCRATCH
from windlass.jobs.supervisor.spool import Spool, find_end, list_segments, read_spool, remove_spools
from windlass.lang.commands import parse_command
from windlass.model.values import dataclass
from windlass.stores.logs import NOTHING_TAKEN, JobLogReader, JobLogWriter, Taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOG_NAME: Final = "log"
LAST_WORDS: Final = b"Windlass was killed while this step ran; the step was ended with it.\n"
UNMASKED: Final = (
    "Windlass and the supervisor of this job were killed while this step ran. %d bytes of its "
    "output are left out: nobody knows any more what in them is secret.\n"
)
ADD_MASK: Final = "add-mask"
STOP: Final = "stop-commands"


@dataclass(frozen=True, slots=True)
class Left:
    """A process that was killed: the key of its step, and the pipe it printed to."""

    step: str
    output: int


def finish_log(folder: str, left: Mapping[int, Left], masks: Iterable[str]) -> None:
    """Add to the log of a job what its processes had printed and Windlass had not taken yet.

    Everything is masked; runner commands are not carried out but for `add-mask`, and stay in the
    log as they are. The spools are removed.

    Raises:
        PlatformError: the log cannot be written; the spools stay.
        OSError: the spools cannot be read.
    """
    path = Path(folder, LOG_NAME)
    writer = JobLogWriter(path)
    masker = Masker()
    for mask in masks:
        masker.add_text(mask)
    taken = _read_taken(path)
    for process, it in left.items():
        _drain(folder, process, it.output, taken.get(process, NOTHING_TAKEN).offset)
    segments = list_segments(folder)
    for process, it in left.items():
        state = taken.get(process, Taken(process))
        blocks = read_spool(folder, process, segments.get(process, []), state.offset)
        _append(writer, it.step, masker, state, blocks)
        writer.write(it.step, LAST_WORDS)
    writer.close()
    forget(folder)


def close_log(folder: str) -> None:
    """Bring a log to its end when the supervisor has died too, and with it all that it knew.

    What was not masked yet is not shown, and the log says so.

    Raises:
        PlatformError: the log cannot be written.
        OSError: the spools cannot be read.
    """
    path = Path(folder, LOG_NAME)
    if path.exists():
        writer = JobLogWriter(path)
        taken = _read_taken(path)
        steps = _read_last_steps(path)
        for process, segments in list_segments(folder).items():
            missing = find_end(folder, process, segments) - taken.get(process, NOTHING_TAKEN).offset
            writer.write(steps.get(process, ""), (UNMASKED % max(0, missing)).encode())
        writer.close()
    forget(folder)


def forget(folder: str) -> None:
    """Remove what was there for the time that the job ran."""
    remove_spools(folder)
    for name in (NAME, SCRATCH):
        with contextlib.suppress(FileNotFoundError):
            Path(folder, name).unlink()


def _read_taken(path: Path) -> dict[int, Taken]:
    """Return how far the output of each process has come into the log."""
    with JobLogReader(path) as reader:
        return {it.taken.process: it.taken for it in reader.blocks() if it.taken.process}


def _read_last_steps(path: Path) -> dict[int, str]:
    with JobLogReader(path) as reader:
        return {it.taken.process: it.step for it in reader.blocks() if it.taken.process}


def _drain(folder: str, process: int, output: int, taken: int) -> None:
    """Move what is left in a pipe to the spool; a stranger may hold it open."""
    os.set_blocking(output, False)
    end = max(taken, find_end(folder, process, list_segments(folder).get(process, [])))
    spool = Spool(folder, process, end)
    with contextlib.suppress(BlockingIOError):
        while spool.take(output):
            pass


def _append(
    writer: JobLogWriter, step: str, masker: Masker, state: Taken, blocks: Iterable[bytes]
) -> None:
    log = StepLog(masker, lambda _: None, writer=writer, step=step)

    def hide(line: str) -> bool:
        command = parse_command(line, (ADD_MASK, STOP))
        if command is None:
            return False
        masker.add_text(command.data)
        masker.add(command.data)
        return command.name.lower() == ADD_MASK

    def refuse(beginning: str) -> bool:
        return parse_command(beginning, (ADD_MASK, STOP)) is not None

    lines = LineSplitter(log, hide, refuse, since=state)
    for block in blocks:
        lines.feed(block)
    lines.finish()
