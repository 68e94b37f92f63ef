"""An executor without processes: every step does what its own variables tell it to do.

The knobs are variables of the step, so a workflow under test says itself what goes wrong:

    WINDLASS_DUMMY_EXIT_CODE       the exit code; 0 where it is not there
    WINDLASS_DUMMY_OUTPUT          what the step prints
    WINDLASS_DUMMY_FILE_<NAME>     what it writes to the command file GITHUB_<NAME>
    WINDLASS_DUMMY_START_FAILS     the program cannot be started, for this reason
    WINDLASS_DUMMY_KILLED_BY       the number of the signal that ends it
    WINDLASS_DUMMY_HANGS           true: it goes on until a signal ends it
    WINDLASS_DUMMY_OUTPUT_NEVER_ENDS  true: the same, and it prints all the time
    WINDLASS_DUMMY_IGNORES         signals it takes no notice of: `SIGINT SIGTERM`
    WINDLASS_DUMMY_TAKES           seconds that pass on the executor's clock while it runs
    WINDLASS_DUMMY_WAITS_FOR       names of marks that other steps must have set before it ends
    WINDLASS_DUMMY_SETS            a mark it sets when it starts
"""

from __future__ import annotations

import contextlib
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import ExecutorError
from windlass.model.values import dataclass
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.jobs.executors.interface import DockerNeed, JobRequest
    from windlass.lang.expressions import Value

PREFIX: Final = "WINDLASS_DUMMY_"
PATIENCE_SECONDS: Final = 60.0
"""How long a step waits for a mark before it gives up."""

STUCK_EXIT_CODE: Final = 99
"""The exit code of a step whose mark was never set."""

_KILLED: Final = 128


@dataclass(frozen=True, slots=True)
class Spawned:
    """One process that was asked for."""

    job: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    folder: str


class Marks:
    """Named marks that steps set and wait for, which orders steps of different jobs in time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._names: set[str] = set()

    def set(self, name: str) -> None:
        """Set a mark; it stays set."""
        with self._changed:
            self._names.add(name)
            self._changed.notify_all()

    def look_again(self) -> None:
        """Let everybody who waits see whether they still have to."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, name: str, *, unless: threading.Event) -> bool:
        """Wait until a mark is set or `unless` is; tell whether either came in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: name in self._names or unless.is_set(), PATIENCE_SECONDS
            )


class DummyExecutor:
    """Opens sessions for every job but those in `refused`; remembers what was spawned."""

    name = "dummy"

    def __init__(
        self, refused: Mapping[str, str] | None = None, clock: ManualClock | None = None
    ) -> None:
        """Take the jobs that cannot be opened, each with the reason, and the clock of the run."""
        self._refused = dict(refused or {})
        self.clock = clock or ManualClock()
        self.marks = Marks()
        self.spawned: list[Spawned] = []
        self.closed: list[str] = []

    def open(self, request: JobRequest) -> DummySession:
        """Return a place for one job.

        Raises:
            ExecutorError: the job was named in `refused`.
        """
        if request.key in self._refused:
            raise ExecutorError(self._refused[request.key])
        return DummySession(self, request)


class DummySession:
    """The place of one job."""

    def __init__(self, executor: DummyExecutor, request: JobRequest) -> None:
        self._executor = executor
        self._job = request.key
        self.folders = request.folders
        self.facts: Mapping[str, Value] = {}
        self.address = "127.0.0.1"
        self.variables: Mapping[str, str] | None = None
        self._processes: list[DummyProcess] = []

    def spawn(
        self,
        arguments: Sequence[str],
        *,
        variables: Mapping[str, str],
        folder: str,
        step: str = "",  # noqa: ARG002
    ) -> DummyProcess:
        """Start what the variables describe.

        Raises:
            ExecutorError: START_FAILS is set, or the folder does not exist.
        """
        self._executor.spawned.append(Spawned(self._job, tuple(arguments), dict(variables), folder))
        reason = variables.get(f"{PREFIX}START_FAILS")
        if reason is None and not Path(folder).is_dir():
            reason = f"the folder {folder} does not exist"
        if reason is not None:
            raise ExecutorError(reason)
        process = DummyProcess(variables, self._executor.marks, self._executor.clock)
        self._processes.append(process)
        process.number = len(self._processes)
        return process

    def find_program(self, name: str, *, search_path: str) -> str | None:  # noqa: ARG002
        """Return a path for every program: none of them is ever run."""
        return name if name.startswith("/") else f"/dummy/bin/{name}"

    def hide(self, texts: Sequence[str]) -> None:
        """Do nothing: there is no log to bring to an end."""

    def listen(self) -> int | None:
        """Return None: there are no processes that could connect."""
        return None

    def overlay(self, lower: Path, upper: Path, work: Path, target: Path) -> bool:  # noqa: ARG002
        """Mount nothing."""
        return False

    def provide_docker(self, need: DockerNeed) -> None:
        """Nothing here needs one."""

    def keep_still(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is there that could do harm."""
        return contextlib.nullcontext()

    def see(self, path: Path) -> Path:
        """Return the path: its files are those of this machine."""
        return path

    def close(self) -> None:
        """Kill what still runs."""
        for process in self._processes:
            process.kill()
        self._executor.closed.append(self._job)


class DummyProcess:
    """One step; it acts when its output is read, and not before."""

    def __init__(self, variables: Mapping[str, str], marks: Marks, clock: ManualClock) -> None:
        self.number = 0
        self._variables = variables
        self._clock = clock
        self._marks = marks
        self._ended = threading.Event()
        self._exit_code: int | None = None
        self._lock = threading.Lock()
        self._ignored = {
            signal.Signals[name] for name in self._knob("IGNORES").split() if name != "SIGKILL"
        }
        self._printed = False
        if name := self._knob("SETS"):
            marks.set(name)
        self._write_command_files()

    def read(self) -> bytes:
        """Return the next block of output; b"" at the end."""
        if not self._printed:
            self._printed = True
            if text := self._knob("OUTPUT"):
                return text.encode("utf-8", "surrogateescape")
        if self._knob("OUTPUT_NEVER_ENDS") == "true" and not self._ended.is_set():
            return b"still going\n"
        self._act()
        return b""

    def release(self, offset: int) -> None:
        """Do nothing: output is kept nowhere."""

    def wait(self) -> int:
        """Return the exit code, waiting for it."""
        self._act()
        assert self._exit_code is not None  # noqa: S101 (set before the event)
        return self._exit_code

    def interrupt(self) -> None:
        """End by SIGINT unless that is ignored."""
        self._receive(signal.SIGINT)

    def terminate(self) -> None:
        """End by SIGTERM unless that is ignored."""
        self._receive(signal.SIGTERM)

    def kill(self) -> None:
        """End by SIGKILL."""
        self._receive(signal.SIGKILL)

    def _knob(self, name: str) -> str:
        return self._variables.get(PREFIX + name, "")

    def _act(self) -> None:
        """Let pass what the step takes, wait for what it waits for, then end it."""
        if (seconds := self._knob("TAKES")) and not self._ended.is_set():
            self._clock.advance(float(seconds))
        if "true" in (self._knob("HANGS"), self._knob("OUTPUT_NEVER_ENDS")):
            self._ended.wait()
        for name in self._knob("WAITS_FOR").split():
            if not self._marks.wait(name, unless=self._ended):
                self._end(STUCK_EXIT_CODE)
        if number := self._knob("KILLED_BY"):
            self._end(_KILLED + int(number))
        self._end(int(self._knob("EXIT_CODE") or 0))

    def _receive(self, number: signal.Signals) -> None:
        if number not in self._ignored:
            self._end(_KILLED + number)

    def _end(self, exit_code: int) -> None:
        """Keep the first exit code."""
        with self._lock:
            if self._exit_code is None:
                self._exit_code = exit_code
                self._ended.set()
        self._marks.look_again()

    def _write_command_files(self) -> None:
        lead = f"{PREFIX}FILE_"
        for knob, text in self._variables.items():
            path = self._variables.get(f"GITHUB_{knob.removeprefix(lead)}")
            if knob.startswith(lead) and path is not None:
                with Path(path).open("a", encoding="utf-8") as file:
                    file.write(text)
