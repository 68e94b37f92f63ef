"""One job's life: its place is made, the job machine says what to do, the place is removed."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from windlass.errors import WorkspaceError
from windlass.jobs.clock import SystemClock
from windlass.jobs.command_handlers import StepEffects
from windlass.jobs.environment import base_variables, runner_context
from windlass.jobs.folders import JobFolders
from windlass.jobs.masking import Masker
from windlass.jobs.outputs import release_outputs
from windlass.jobs.reports import JobReporter
from windlass.jobs.steps import RunningStep, StepEnd, StepPlace, run_script_step
from windlass.lang.tokens import NumberToken
from windlass.model.status import Result
from windlass.model.values import dataclass
from windlass.plan.job import JobMachine
from windlass.plan.signals import JobFinished
from windlass.plan.steps import (
    CancelStep,
    ConcludeStep,
    FinishJob,
    JobCancelRequested,
    JobOpened,
    RejectStep,
    SkipStep,
    StartStep,
    StepFinished,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from windlass.jobs.cancellation import Cancellation
    from windlass.jobs.clock import Clock, Stop
    from windlass.jobs.executors.interface import Executor, Session
    from windlass.jobs.source import Source
    from windlass.lang.expressions import Value
    from windlass.plan.orders import StartJob
    from windlass.plan.steps import JobOrder, JobSignal
    from windlass.protocol.events import RunEvent

DEBUG_SETTING = "ACTIONS_STEP_DEBUG"
DEFAULT_CANCEL_TIMEOUT_MINUTES = 5
SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlace:
    """Where a job runs and what it is given.

    `folder` is the job's own: it is made, and removed at the end unless `keep`. `tools` is the
    machine's tool cache. `source` is what a checkout of the repository yields, shared by the jobs
    of a run. `machine` are the variables of this machine (`os.environ`), of which a job sees few;
    `variables` are added to every process of the job.
    """

    folder: Path
    tools: Path
    source: Source
    machine: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False
    clock: Clock = field(default_factory=SystemClock)


def run_job(
    order: StartJob,
    *,
    executor: Executor,
    place: JobPlace,
    secrets: Mapping[str, str],
    emit: Callable[[RunEvent], None],
    cancellation: Cancellation,
) -> JobFinished:
    """Run one job to its end in the calling thread and return how it ended.

    `emit` gets everything onlookers may see of this job, from JobStarted to JobFinished, without
    secrets. It is called from this thread and, for a cancellation or a time-out, from others.

    Raises:
        PlatformError: the place of the job could not be made.
    """
    return _JobRun(order, executor, place, secrets, emit, cancellation).run()


class _JobRun:
    def __init__(
        self,
        order: StartJob,
        executor: Executor,
        place: JobPlace,
        secrets: Mapping[str, str],
        emit: Callable[[RunEvent], None],
        cancellation: Cancellation,
    ) -> None:
        self._order = order
        self._executor = executor
        self._place = place
        self._emit = emit
        self._cancellation = cancellation
        self._masker = Masker(secrets.values())
        self._reporter = JobReporter(order.key, self._masker, emit)
        self._debug = _wants_debug(order, secrets)
        self._folders = JobFolders(place.folder, place.source.name, place.tools)
        self._token = secrets.get("GITHUB_TOKEN", "")
        self._machine = JobMachine(
            order,
            secrets=secrets,
            functions={"hashFiles": self._hash_files},
        )
        # The machine is asked by the job's thread and by whoever cancels.
        self._lock = threading.RLock()
        self._orders: deque[JobOrder] = deque()
        self._running: RunningStep | None = None
        self._cancelled_step = ""
        self._forced = False
        self._over = False
        self._stops: list[Stop] = []
        self._ends: dict[str, tuple[int | None, float]] = {}

    def run(self) -> JobFinished:
        order, clock = self._order, self._place.clock
        started = clock.now()
        self._reporter.start_job(order.name)
        finish = self._run_in_place()
        for problem in finish.problems:
            self._reporter.annotate("error", problem)
        result, outputs = release_outputs(
            finish.outputs, finish.result, self._masker, self._reporter
        )
        self._reporter.finish_job(order.name, result, clock.now() - started, outputs)
        return JobFinished(order.key, result, outputs)

    def _run_in_place(self) -> FinishJob:
        """Make the job's place, run its steps there and leave nothing behind."""
        self._folders.make()
        try:
            session = self._executor.open(self._order.key)
            try:
                return self._run_in_session(session)
            finally:
                session.close()
        finally:
            if not self._place.keep:
                self._remove_folders()

    def _remove_folders(self) -> None:
        """Remove the job's folders; what cannot be removed changes nothing about its result."""
        try:
            self._folders.remove()
        except WorkspaceError as error:
            self._reporter.annotate("warning", f"{error.message}. {error.hint}")

    def _run_in_session(self, session: Session) -> FinishJob:
        opened = self._open()
        steps = StepPlace(
            job_key=self._order.key,
            folders=self._folders,
            session=session,
            masker=self._masker,
            clock=self._place.clock,
            base=self._make_base(),
            debug=self._debug,
            emit=self._emit,
        )
        self._set_timer(self._order.timeout_minutes, self._time_out)
        self._cancellation.listen(self._cancel, self._force)
        try:
            self._tell(opened)
            return self._carry_out(steps)
        finally:
            with self._lock:
                self._over = True
            for stop in self._stops:
                stop()

    def _open(self) -> JobOpened:
        """Write the event's payload and return what the job's contexts are to say of this place."""
        from windlass.lang.expressions import to_json

        folders = self._folders
        github = self._order.contexts.get("github")
        payload = github.get("event") if isinstance(github, Mapping) else None
        try:
            folders.event_file.write_text(to_json(payload), encoding="utf-8", errors="replace")
        except OSError as error:
            raise WorkspaceError(
                f"The event's payload cannot be written to {folders.event_file}: {error.strerror}"
            ) from error
        known: dict[str, Value] = {
            "workspace": str(folders.workspace),
            "event_path": str(folders.event_file),
            "job": self._order.job.id,
        }
        if self._token:
            known["token"] = self._token
        return JobOpened(runner=runner_context(folders, debug=self._debug), github=known)

    def _make_base(self) -> dict[str, str]:
        tracking = f"windlass_{os.urandom(16).hex()}"
        base = base_variables(self._folders, self._place.machine, tracking)
        return {**base, **self._place.variables}

    # What the machine says

    def _tell(self, signal: JobSignal) -> None:
        """Give the machine a signal and queue what is to be done."""
        with self._lock:
            for order in self._machine.receive(signal):
                if isinstance(order, CancelStep):
                    self._cancelled_step = order.key
                    if self._running is not None:
                        self._running.cancel()
                else:
                    self._orders.append(order)

    def _carry_out(self, steps: StepPlace) -> FinishJob:
        """Carry the machine's orders out until the job is over."""
        while True:
            match self._orders.popleft():
                case StartStep() as order:
                    self._tell(self._run_step(order, steps))
                case FinishJob() as order:
                    return order
                case SkipStep() as order:
                    self._reporter.skip_step(order)
                case RejectStep() as order:
                    self._reporter.reject_step(order)
                case ConcludeStep() as order:
                    exit_code, seconds = self._ends.pop(order.key, (None, 0.0))
                    self._reporter.conclude_step(order, exit_code, seconds)

    def _run_step(self, order: StartStep, steps: StepPlace) -> StepFinished:
        self._reporter.start_step(order)
        started = self._place.clock.now()
        running = RunningStep(self._place.clock)
        with self._lock:
            self._running = running
            if self._cancelled_step == order.key:
                running.cancel()
            if self._forced:
                running.kill()
        end = self._perform(order, steps, running)
        with self._lock:
            self._running = None
        self._ends[order.key] = (end.exit_code, self._place.clock.now() - started)
        effects = end.effects
        return StepFinished(
            key=order.key,
            outcome=end.outcome,
            outputs=effects.outputs,
            variables=effects.variables,
            paths=tuple(effects.paths),
        )

    def _perform(self, order: StartStep, steps: StepPlace, running: RunningStep) -> StepEnd:
        if self._forced:
            return StepEnd(Result.CANCELLED, None, StepEffects())
        if order.uses is None:
            return run_script_step(order, steps, running)
        # Imported only where there is one: a job without a checkout needs no Git.
        from windlass.jobs.checkout import is_checkout, run_checkout_step

        if is_checkout(order.uses):
            return run_checkout_step(order, steps, self._place.source)
        steps.report(order.key).annotate(
            "error", f"Actions do not run yet: {order.uses}. `windlass compat` lists what does."
        )
        return StepEnd(Result.FAILURE, None, StepEffects())

    def _hash_files(self, patterns: Sequence[Value]) -> Value:
        # Imported only where it is called: hashing is not free to import.
        from windlass.jobs.hashing import hash_files

        return hash_files(self._folders.workspace, patterns)

    # How it is ended

    def _cancel(self, reason: str) -> None:
        """Turn the job to cancelled; what still runs then has its own time limit."""
        self._tell(JobCancelRequested(reason))
        limit = self._order.job.cancel_timeout_minutes
        minutes = limit.value if isinstance(limit, NumberToken) else DEFAULT_CANCEL_TIMEOUT_MINUTES
        self._set_timer(minutes, self._force)

    def _force(self) -> None:
        self._tell(JobCancelRequested("ended at once"))
        with self._lock:
            self._forced = True
            if self._running is not None:
                self._running.kill()

    def _set_timer(self, minutes: float, action: Callable[[], None]) -> None:
        with self._lock:
            if not self._over:
                self._stops.append(
                    self._place.clock.call_later(minutes * SECONDS_PER_MINUTE, action)
                )

    def _time_out(self) -> None:
        minutes = f"{self._order.timeout_minutes:g}"
        reason = (
            f"The job running on runner windlass has exceeded the maximum execution time of "
            f"{minutes} minutes."
        )
        self._reporter.annotate("error", reason)
        self._cancel(reason)


def _wants_debug(order: StartJob, secrets: Mapping[str, str]) -> bool:
    """Tell whether ACTIONS_STEP_DEBUG is true, as a secret or else as a variable."""
    variables = order.contexts.get("vars")
    given = secrets.get(DEBUG_SETTING)
    if given is None and isinstance(variables, Mapping):
        given = variables.get(DEBUG_SETTING)
    return str(given).strip().lower() == "true"
