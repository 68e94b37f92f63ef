"""The folder of each attempt of a run: `.windlass/runs/RUN/ATTEMPT`.

    definition.json   what is needed to decide and carry out the same again
    events.jsonl      everything onlookers were told but output, one line each, in order
    lock              held by the process that carries the attempt out
    control           a FIFO: how other processes reach that process
    jobs/N            what one job leaves behind: `key`, its log, and in `artifacts.json` the
                      files and images that its steps say they have made

Beside the attempts, `tree` holds the id of the Git tree that all their jobs see.

Events are appended by plain writes: what was written survives `kill -9` at any moment. Whoever can
take the lock of an attempt that has not ended knows that it was interrupted.
"""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.stores.state_folder import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PROBES: Final = 5
_PROBE_SECONDS: Final = 0.02
"""Somebody who only looks whether a lock is held takes it for a moment."""

_PURPOSE: Final = "Windlass keeps the history of runs there."
_HOW_TO_GO_ON: Final = "once it can be, `windlass resume` goes on with the run"


class AttemptFolder:
    """One attempt's folder. Its methods raise PlatformError where the disk refuses."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None
        self._events: int | None = None

    @property
    def definition(self) -> Path:
        """What the attempt is made of."""
        return self.path / "definition.json"

    @property
    def events(self) -> Path:
        """What onlookers were told."""
        return self.path / "events.jsonl"

    @property
    def control(self) -> Path:
        """The FIFO through which the attempt is reached."""
        return self.path / "control"

    @property
    def is_live(self) -> bool:
        """Whether a process carries the attempt out at this moment."""
        try:
            lock = os.open(self.path / "lock", os.O_RDONLY)
        except OSError:
            return False
        try:
            return not _take(lock)
        finally:
            os.close(lock)

    def claim(self) -> bool:
        """Take the lock until `release`; False where another process has it."""
        try:
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _refuse(self.path / "lock", "opened", error) from error
        for _ in range(_PROBES):
            if _take(lock):
                self._lock = lock
                return True
            time.sleep(_PROBE_SECONDS)
        os.close(lock)
        return False

    def release(self) -> None:
        """Give the lock back and close what is open."""
        for number in (self._events, self._lock):
            if number is not None:
                os.close(number)
        self._events = self._lock = None

    def write_definition(self, text: str) -> None:
        """Write the definition, whole or not at all."""
        _write_whole(self.definition, text)

    def read_definition(self) -> str:
        """Return the definition."""
        try:
            return self.definition.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise _refuse(self.definition, "read", error) from error

    def read_tree(self) -> str | None:
        """Return the tree that the jobs of the run see, the same in all attempts; None so far."""
        try:
            return self._tree.read_text(encoding="ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def write_tree(self, tree: str) -> None:
        """Keep the tree that the jobs of the run see."""
        _write_whole(self._tree, f"{tree}\n")

    @property
    def _tree(self) -> Path:
        return self.path.parent / "tree"

    def append_event(self, line: str) -> None:
        """Append one event, a line of JSON without its end."""
        data = f"{line}\n".encode("utf-8", "surrogateescape")
        try:
            if self._events is None:
                self._events = self._open_events()
            # A part is written where the disk is full; the rest then raises.
            while data:
                data = data[os.write(self._events, data) :]
            if os.fstat(self._events).st_nlink == 0:
                raise FileNotFoundError(2, "it was removed while the run went on")
        except OSError as error:
            raise _refuse(self.events, "written", error, _HOW_TO_GO_ON) from error

    def read_events(self) -> Iterator[str]:
        """Yield the lines of the events; one that was cut short by a crash is left out."""
        try:
            with self.events.open("rb") as file:
                for line in file:
                    if line.endswith(b"\n"):
                        yield line.decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return
        except OSError as error:
            raise _refuse(self.events, "read", error) from error

    def write_summary(self, markdown: str) -> None:
        """Keep what the steps wrote to their summaries, if anything."""
        if not markdown:
            return
        _write_whole(self.path / "summary.md", markdown)

    def open_job(self, number: int, key: str) -> Path:
        """Make the folder of a job, the number-th to start, and return it."""
        folder = self.path / "jobs" / str(number)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Others read it at any moment: what is there is not written anew.
            if _read_key(folder) != key:
                (folder / "key").write_text(key, encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise _refuse(folder, "made", error) from error
        return folder

    def jobs(self) -> dict[str, Path]:
        """Return the folders of the jobs that were started, by key; the last start counts."""
        found: dict[str, Path] = {}
        for folder in self._job_folders():
            if (key := _read_key(folder)) is not None:
                found.pop(key, None)
                found[key] = folder
        return found

    def count_jobs(self) -> int:
        """Return the highest number of a job's folder; 0 where there is none."""
        return max((int(folder.name) for folder in self._job_folders()), default=0)

    def _job_folders(self) -> list[Path]:
        try:
            folders = [it for it in (self.path / "jobs").iterdir() if it.name.isdecimal()]
        except OSError:
            return []
        return sorted(folders, key=lambda it: int(it.name))

    def _open_events(self) -> int:
        """Open the file for appending; half a line that a crash has left is ended first."""
        number = os.open(self.events, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        size = os.fstat(number).st_size
        if size and os.pread(number, 1, size - 1) != b"\n":
            os.write(number, b"\n")
        return number


def _read_key(folder: Path) -> str | None:
    """Return the key of the job whose folder it is; None where it is not written yet."""
    try:
        return (folder / "key").read_text(encoding="utf-8", errors="surrogateescape") or None
    except OSError:
        return None


class RunFolders:
    """The folders of all runs of a repository."""

    def __init__(self, state: Path) -> None:
        """Take the repository's `.windlass`."""
        self.path = state / RUNS

    def create(self) -> str:
        """Make the folder of a new run and return the run's id.

        It is the microseconds since the epoch: unique here, and growing as GitHub's ids do.

        Raises:
            PlatformError: the folder cannot be made.
        """
        while True:
            run = str(time.time_ns() // 1000)
            try:
                (self.path / run).mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise _refuse(self.path / run, "made", error) from error
            return run

    def attempt(self, run: str, number: int) -> AttemptFolder:
        """Return the folder of an attempt, which may not be there."""
        return AttemptFolder(self.path / run / str(number))

    def make_attempt(self, run: str, number: int) -> AttemptFolder:
        """Make the folder of an attempt.

        Raises:
            PlatformError: it cannot be made, or somebody else has just made it.
        """
        folder = self.attempt(run, number)
        try:
            folder.path.mkdir(mode=0o700)
        except OSError as error:
            raise _refuse(folder.path, "made", error) from error
        return folder

    def attempts(self, run: str) -> list[int]:
        """Return the numbers of a run's attempts, in order; none where there is no such run."""
        return sorted(int(name) for name in _names(self.path / run) if name.isdecimal())

    def ids(self) -> list[str]:
        """Return the ids of all runs that have a folder, oldest first."""
        return sorted(name for name in _names(self.path) if name.isdecimal())


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # names are all that is asked for
    except OSError:
        return []


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole, or as it was before."""
    draft = path.with_suffix(".draft")
    try:
        draft.write_text(text, encoding="utf-8", errors="surrogateescape")
        draft.replace(path)
    except OSError as error:
        raise _refuse(path, "written", error) from error


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _refuse(path: Path, deed: str, error: OSError, hint: str = _PURPOSE) -> PlatformError:
    return PlatformError(f"{path} cannot be {deed}: {error.strerror or error}", hint=hint)
