"""Runs one `run:` step: script, process, output, commands, command files, outcome."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from windlass.errors import ExecutorError
from windlass.jobs.cancellation import GentleEnd
from windlass.jobs.command_handlers import CommandHandler, StepEffects
from windlass.jobs.environment import step_variables
from windlass.jobs.log import LineSplitter
from windlass.jobs.reports import StepReporter
from windlass.jobs.shells import ShellError, fix_up_script, resolve_shell
from windlass.jobs.step_files import StepFiles, read_effects
from windlass.model.status import Result
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.clock import Clock
    from windlass.jobs.executors.interface import Process, Session
    from windlass.jobs.folders import JobFolders
    from windlass.jobs.masking import Masker
    from windlass.plan.steps import StartStep
    from windlass.protocol.events import RunEvent

SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlace:
    """What the steps of one job share."""

    job_key: str
    folders: JobFolders
    session: Session
    masker: Masker
    clock: Clock
    base: Mapping[str, str]
    debug: bool
    emit: Callable[[RunEvent], None]

    def report(self, step_key: str) -> StepReporter:
        """Return what tells of one step."""
        return StepReporter(self.job_key, step_key, self.masker, self.emit)


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step ended and what it set."""

    outcome: Result
    exit_code: int | None
    effects: StepEffects


class RunningStep:
    """A step under way, as other threads may end it; also before its process has started."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._end: GentleEnd | None = None
        self._killed = False
        self.cancelled = False
        self.timed_out = False

    def cancel(self) -> None:
        """End the step because its job was cancelled."""
        with self._lock:
            self.cancelled = True
            if self._end is not None:
                self._end.begin()

    def time_out(self) -> None:
        """End the step because its time is over."""
        with self._lock:
            self.timed_out = True
            if self._end is not None:
                self._end.begin()

    def kill(self) -> None:
        """End the step at once."""
        with self._lock:
            self.cancelled = self._killed = True
            if self._end is not None:
                self._end.kill()

    def attach(self, process: Process) -> None:
        """Name the process that is to be ended; it may be too late for it already."""
        with self._lock:
            self._end = GentleEnd(process, self._clock)
            if self._killed:
                self._end.kill()
            elif self.cancelled or self.timed_out:
                self._end.begin()

    def detach(self) -> None:
        """The process has ended."""
        with self._lock:
            if self._end is not None:
                self._end.call_off()


def run_script_step(order: StartStep, place: StepPlace, running: RunningStep) -> StepEnd:
    """Run a step that has a script, to its end.

    Nothing a step does makes this raise; what the machine cannot do for it fails the step.
    """
    reporter = place.report(order.key)
    effects = StepEffects()
    for problem in order.problems:
        reporter.annotate("error", problem)
    exit_code: int | None = None
    files: StepFiles | None = None
    try:
        files = StepFiles.make(place.folders.command_files, os.urandom(16).hex())
        variables = _make_variables(order, place, files)
        process = _start(order, place, variables)
        exit_code = _watch(process, order, place, reporter, effects, running)
    except (ShellError, ExecutorError) as error:
        reporter.annotate("error", str(error))
        effects.failed = True
    except OSError as error:
        reporter.annotate("error", f"{error.strerror}: '{error.filename}'")
        effects.failed = True
    if files is not None:
        _read_files(files, effects, reporter, debug=place.debug)
    outcome = _settle(order, running, exit_code, effects, reporter)
    reporter.log.flush()
    return StepEnd(outcome, exit_code, effects)


def _make_variables(order: StartStep, place: StepPlace, files: StepFiles) -> dict[str, str]:
    github = order.contexts.get("github")
    known = github if isinstance(github, Mapping) else {}
    contexts = {**order.contexts, "github": {**known, **files.context()}}
    return step_variables(place.base, order.variables, order.paths, contexts)


def _start(order: StartStep, place: StepPlace, variables: Mapping[str, str]) -> Process:
    """Write the script and start its shell.

    Raises:
        ShellError: there is no such shell.
        ExecutorError: the shell could not be started.
        OSError: the script could not be written.
    """
    path = variables.get("PATH", "")
    shell = resolve_shell(
        order.shell, lambda name: place.session.find_program(name, search_path=path)
    )
    script = place.folders.temp / f"{os.urandom(16).hex()}{shell.extension}"
    text = fix_up_script(shell.name, order.script or "")
    script.write_bytes(text.encode("utf-8", "replace"))
    folder = os.path.join(place.folders.workspace, order.working_directory or "")  # noqa: PTH118
    return place.session.spawn(shell.command(str(script)), variables=variables, folder=folder)


def _watch(
    process: Process,
    order: StartStep,
    place: StepPlace,
    reporter: StepReporter,
    effects: StepEffects,
    running: RunningStep,
) -> int:
    """Read a process to its end, within its time, and return its exit code."""
    handler = CommandHandler(
        reporter.log,
        effects,
        reporter.annotate,
        variables=order.variables,
        workspace=str(place.folders.workspace),
        debug=place.debug,
    )
    lines = LineSplitter(reporter.log, handler.handle, handler.refuse)
    minutes = order.timeout_minutes
    stop = (
        place.clock.call_later(minutes * SECONDS_PER_MINUTE, running.time_out) if minutes else None
    )
    running.attach(process)
    try:
        while block := process.read():
            lines.feed(block)
        lines.finish()
        return process.wait()
    finally:
        running.detach()
        if stop is not None:
            stop()


def _read_files(
    files: StepFiles, effects: StepEffects, reporter: StepReporter, *, debug: bool
) -> None:
    """Take over what the step wrote to its command files."""

    def tell(level: str, message: str) -> None:
        if level == "error":
            reporter.annotate(level, message)
        elif debug:
            for line in message.split("\n"):
                reporter.log.write_line(f"##[debug]{line}")

    summary = read_effects(files, effects, tell)
    if summary is not None:
        reporter.summarise(summary)
    files.remove()


def _settle(
    order: StartStep,
    running: RunningStep,
    exit_code: int | None,
    effects: StepEffects,
    reporter: StepReporter,
) -> Result:
    """Decide the outcome and say why it is not a success."""
    if running.cancelled:
        reporter.annotate("error", "The operation was canceled.")
        return Result.CANCELLED
    if running.timed_out:
        minutes = order.timeout_minutes
        text = f"The action '{order.name}' has timed out after {minutes} minutes."
        reporter.annotate("error", text)
        return Result.FAILURE
    if exit_code:
        reporter.annotate("error", f"Process completed with exit code {exit_code}.")
    return Result.FAILURE if exit_code or effects.failed else Result.SUCCESS
