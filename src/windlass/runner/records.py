"""What a runner knows of one job, on its disk until the server has all of it.

    runs/RUN/ATTEMPT/jobs/NUMBER/
        log, log.index, log.steps   what the job printed (`windlass.stores.logs`)
        supervisor.json             while it runs (`windlass.jobs.supervisor.presence`)
        events.jsonl                what is told of it, a line each; the server counts them from 0
        end.json                    how it has ended: an `EndRequest` without its count

All is appended by plain writes, so it survives the end of the runner at any moment: the next one
goes on from there (`windlass.runner.recovery`). The folders are those of a local history, for what
cleans up after killed jobs finds them so.
"""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import InputError, PlatformError
from windlass.listings import find_paths
from windlass.protocol.runner import EndRequest, JobId, decode_message, encode_message
from windlass.stores.log_index import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_EVENTS: Final = "events.jsonl"
_END: Final = "end.json"
_BLOCK: Final = 1 << 16


class JobRecord:
    """See the module. One thread writes the events and the end; another one ships them."""

    def __init__(self, runs: Path, job: JobId) -> None:
        """Take the folder of all records; nothing is made yet."""
        self.job = job
        self.folder = runs / job.run / str(job.attempt) / "jobs" / str(job.number)
        self._lock = threading.Lock()
        self._descriptors: dict[str, int] = {}
        self._starts: list[int] = []
        self._size = 0

    def make(self) -> None:
        """Make the folder.

        Raises:
            PlatformError: the disk refuses.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _refuse(self.folder, "made", error) from error
        self.add_events(())

    @property
    def is_there(self) -> bool:
        """Whether something of the job is known here."""
        return self.folder.is_dir()

    def add_events(self, lines: Sequence[str]) -> None:
        """Append events; half a line that a killed runner has left is cut off first.

        Raises:
            PlatformError: the disk refuses.
        """
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
        try:
            events = self._open(_EVENTS, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            with self._lock:
                self._read_starts(events)
                if os.fstat(events).st_size > self._size:
                    os.ftruncate(events, self._size)
                while data:
                    data = data[os.write(events, data) :]
                self._read_starts(events)
        except OSError as error:
            raise _refuse(self.folder / _EVENTS, "written", error) from error

    def count_events(self) -> int:
        """Return how many events there are."""
        with self._lock:
            return len(self._starts)

    def read_events(self, first: int, most_bytes: int) -> list[str]:
        """Return events from a number on: at most `most_bytes`, but one if there is one."""
        with self._lock:
            starts, size = self._starts[first:], self._size
        if not starts:
            return []
        ends = [*starts[1:], size]
        last = max((it for it in ends if it - starts[0] <= most_bytes), default=ends[0])
        data = os.pread(self._descriptors[_EVENTS], last - starts[0], starts[0])
        return data.decode("utf-8", "surrogateescape").split("\n")[:-1]

    def write_end(self, end: EndRequest) -> None:
        """Note how the job has ended, whole or not at all.

        Raises:
            PlatformError: the disk refuses.
        """
        path = self.folder / _END
        draft = path.with_suffix(".draft")
        try:
            draft.write_text(encode_message(end), encoding="ascii")
            draft.replace(path)
        except OSError as error:
            raise _refuse(path, "written", error) from error

    def read_end(self) -> EndRequest | None:
        """Return how the job has ended; None where that is not known."""
        try:
            return decode_message(EndRequest, (self.folder / _END).read_bytes())
        except (OSError, InputError):
            return None

    def measure_log(self) -> dict[str, int]:
        """Return how much of each file counts, in the order in which they are to be shipped.

        What is behind the last whole record may be cut off and written otherwise when the writer is
        killed; what counts never changes. A record comes after all that it speaks of.

        Raises:
            OSError: they cannot be read now, which is not to say that there is no log.
        """
        log, index, steps = (self._find(name) for name in ("log", "log.index", "log.steps"))
        if log is None or index is None or steps is None:
            return {}
        records = os.fstat(index).st_size // RECORD.size
        written = os.fstat(log).st_size
        end = 0
        while records:
            end = RECORD.unpack(os.pread(index, RECORD.size, (records - 1) * RECORD.size))[0]
            if end <= written:
                break
            records, end = records - 1, 0
        return {"log": end, "log.steps": _measure_lines(steps), "log.index": records * RECORD.size}

    def read_log(self, name: str, offset: int, size: int) -> bytes:
        """Return bytes of one of the log's files."""
        return os.pread(self._descriptors[name], size, offset)

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            for number in self._descriptors.values():
                os.close(number)
            self._descriptors.clear()

    def remove(self) -> None:
        """Remove all of it: the server has it, or does not want it."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        # Those above go with their last job.
        with suppress(OSError):
            for parent in list(self.folder.parents)[:3]:
                parent.rmdir()

    def _find(self, name: str) -> int | None:
        try:
            return self._open(name, os.O_RDONLY)
        except FileNotFoundError:
            return None

    def _open(self, name: str, flags: int) -> int:
        with self._lock:
            if name not in self._descriptors:
                path = self.folder / name
                self._descriptors[name] = os.open(path, flags | os.O_CLOEXEC, 0o600)
            return self._descriptors[name]

    def _read_starts(self, events: int) -> None:
        """Find where the lines begin that have been added."""
        while block := os.pread(events, _BLOCK, self._size):
            whole = block.rfind(b"\n") + 1
            if not whole:
                block = _read_line(events, self._size)
                whole = block.rfind(b"\n") + 1
            if not whole:
                return
            at = 0
            while at < whole:
                self._starts.append(self._size + at)
                at = block.index(b"\n", at) + 1
            self._size += whole


def list_records(runs: Path) -> Iterator[JobRecord]:
    """Yield what is known of each job, oldest first."""
    for folder in find_paths(runs, "*/*/jobs/*"):
        run, attempt, _, number = folder.relative_to(runs).parts
        if attempt.isdecimal() and number.isdecimal():
            yield JobRecord(runs, JobId(run, int(attempt), int(number)))


def _read_line(events: int, start: int) -> bytes:
    """Return all from a place on: a line that is longer than a block."""
    return os.pread(events, os.fstat(events).st_size - start, start)


def _measure_lines(descriptor: int) -> int:
    """Return how many bytes of a file are whole lines; it is a small one."""
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0).rfind(b"\n") + 1


def _refuse(path: Path, deed: str, error: OSError) -> PlatformError:
    return PlatformError(
        f"{path} cannot be {deed}: {error.strerror}",
        hint="The runner keeps there what the server does not have yet.",
    )
