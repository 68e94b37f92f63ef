"""Running the workflows of a repository for one event, on this machine.

The workflows that the event starts run one after the other, in the order of their files: what a job
prints is told by the job's key, and two workflows may well have a job of the same name. Jobs within
a workflow run side by side.
"""

from __future__ import annotations

import os
import time
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from windlass.engine.local import LocalRun
from windlass.lang.diagnostics import Severity
from windlass.model.status import Result
from windlass.model.values import dataclass
from windlass.operations.concealment import Concealment
from windlass.operations.job_starts import JobStarter, check_labels
from windlass.operations.plans import PlanOptions, plan_event
from windlass.operations.readiness import RefusedWorkflow, judge
from windlass.plan.contexts import RunIdentity, make_github_context
from windlass.plan.inputs import fill_event, read_inputs
from windlass.plan.run import RunMachine
from windlass.plan.selection import Selection
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from windlass.errors import WindlassError
    from windlass.lang.diagnostics import Diagnostic
    from windlass.lang.workflow.model import Workflow
    from windlass.operations.plans import Planning
    from windlass.plan.plan import WorkflowPlan
    from windlass.protocol.events import RunEvent

EXIT_SUCCESS: Final = 0
EXIT_FAILURE: Final = 1
EXIT_PLATFORM: Final = 3
EXIT_CANCELLED: Final = 130

STATE_FOLDER: Final = ".windlass"
_NO_PLAN_OPTIONS: Final = PlanOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a user may choose about a run, beyond what is planned (`plan`).

    `env` is added to every process. `labels` says by label where jobs run; `host` is this machine.
    Jobs for an environment are held unless it is in `allowed_environments`. With `committed`
    uncommitted changes are left out, with `keep` the jobs' folders stay. `max_jobs` None means one
    job for every processor.
    """

    plan: PlanOptions = _NO_PLAN_OPTIONS
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    allowed_environments: frozenset[str] = frozenset()
    committed: bool = False
    keep: bool = False
    max_jobs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun:
    """How one workflow ended; `jobs` holds each job's result by key, in the order they ended.

    `kept` is the folder in which the jobs' folders were kept, None where they were removed.
    """

    id: str
    path: str
    name: str
    result: Result
    jobs: Mapping[str, Result]
    kept: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What came of an event.

    `refused` are the workflows that were not started, each because of an error among
    `diagnostics`; an error in the call starts none at all. An event that starts nothing is a
    success with a warning, since GitHub shows no run at all then; `planning` says why each workflow
    was left out. `breakdowns` are errors of this machine.
    """

    planning: Planning
    runs: tuple[WorkflowRun, ...] = ()
    refused: tuple[RefusedWorkflow, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    breakdowns: tuple[WindlassError, ...] = ()
    interrupted: bool = False

    @property
    def exit_code(self) -> Literal[0, 1, 3, 130]:
        """The exit code of `windlass run`."""
        if self.interrupted:
            return EXIT_CANCELLED
        if self.breakdowns:
            return EXIT_PLATFORM
        failed = any(run.result is not Result.SUCCESS for run in self.runs)
        return EXIT_FAILURE if failed or _has_error(self.diagnostics) else EXIT_SUCCESS


class Interruption:
    """How whoever started a run ends it: politely the first time, at once the second.

    May be called from a signal handler and from any thread, before and while something runs.
    """

    def __init__(self) -> None:
        self._run: LocalRun | None = None
        self._requests = 0

    @property
    def requested(self) -> bool:
        """Whether the end was asked for."""
        return self._requests > 0

    def request(self) -> None:
        """Cancel the run; asked again, kill what is left of it."""
        self._requests += 1
        self._pass_on()

    def attach(self, run: LocalRun | None) -> None:
        """Name the run that is to be ended; it may be too late for it already."""
        self._run = run
        if self.requested:
            self._pass_on()

    def _pass_on(self) -> None:
        run = self._run
        if run is None:
            return
        run.cancel("The run was cancelled")
        if self._requests > 1:
            run.force()


def run_event(
    folder: Path,
    event_name: str,
    options: RunOptions,
    emit: Callable[[RunEvent], None],
    interruption: Interruption | None = None,
    tell: Callable[[Path, Sequence[Diagnostic]], None] | None = None,
) -> RunReport:
    """Run all that an event starts in the repository that `folder` is in, and report.

    `emit` gets every event of every run, one at a time, from several threads. `tell` gets the
    repository's root and what is to be said before anything runs: the report's diagnostics.

    Raises:
        InputError: there is no repository, or no workflow in it.
        UsageError: `labels` names a place that jobs cannot run in.
        PlatformError: Git failed, or the state folder cannot be written.
    """
    check_labels(options.labels)
    planning = plan_event(folder, event_name, options.plan)
    readiness = judge(planning, event_name, options.labels)
    if tell is not None and readiness.diagnostics:
        tell(planning.library.root, readiness.diagnostics)
    for refused in readiness.refused:
        emit(events.WorkflowRefused(workflow=refused.name, path=refused.path))
    interruption = interruption or Interruption()
    runs: tuple[WorkflowRun, ...] = ()
    breakdowns: list[WindlassError] = []
    if readiness.ready:
        started = _Runs(planning, options, emit, interruption)
        runs, breakdowns = tuple(started.run(readiness.ready)), started.breakdowns
    return RunReport(
        planning=planning,
        runs=runs,
        refused=readiness.refused,
        diagnostics=readiness.diagnostics,
        breakdowns=tuple(breakdowns),
        interrupted=interruption.requested,
    )


class _Runs:
    """The runs of one event, one after the other."""

    def __init__(
        self,
        planning: Planning,
        options: RunOptions,
        emit: Callable[[RunEvent], None],
        interruption: Interruption,
    ) -> None:
        self._planning = planning
        self._options = options
        self._emit = emit
        self._concealment = Concealment(options.secrets.values())
        self.interruption = interruption
        self.breakdowns: list[WindlassError] = []

    def run(self, planned: tuple[WorkflowPlan, ...]) -> Iterator[WorkflowRun]:
        """Run workflows until all have ended or the user has interrupted."""
        workflows = {workflow.path: workflow for workflow in self._planning.library.workflows}
        for plan in planned:
            if self.interruption.requested:
                return
            yield self._run_one(workflows[plan.path], plan)

    def _run_one(self, workflow: Workflow, plan: WorkflowPlan) -> WorkflowRun:
        # Microseconds since the epoch: unique here, and growing as GitHub's ids do.
        identity = RunIdentity(id=time.time_ns() // 1000)
        run_id, started = str(identity.id), time.monotonic()
        jobs: dict[str, Result] = {}
        starter = JobStarter(self._planning, run_id, self._state, self._options)
        run = LocalRun(
            RunMachine(workflow, self._contexts(workflow, identity), selection=self._selection),
            starter.run_job,
            emit=lambda event: self._see(event, jobs),
            max_jobs=self._options.max_jobs or os.cpu_count() or 1,
        )
        self._emit(_run_started(run_id, plan, self._planning))
        self.interruption.attach(run)
        result = run.run()
        self.interruption.attach(None)
        self.breakdowns += run.breakdowns
        seconds = time.monotonic() - started
        self._emit(events.RunFinished(run=run_id, result=result, seconds=seconds))
        return WorkflowRun(
            id=run_id,
            path=plan.path,
            name=plan.name,
            result=result,
            jobs=jobs,
            kept=starter.close(),
        )

    def _see(self, event: RunEvent, jobs: dict[str, Result]) -> None:
        event = self._concealment.conceal(event)
        if isinstance(event, events.JobFinished):
            jobs[event.job] = event.result
        elif isinstance(event, events.JobSkipped):
            jobs[event.job] = Result.SKIPPED
        self._emit(event)

    @property
    def _state(self) -> Path:
        return Path(self._planning.repository.root) / STATE_FOLDER

    @property
    def _selection(self) -> Selection:
        return Selection(self._options.plan.job, self._options.plan.matrix)

    def _contexts(self, workflow: Workflow, identity: RunIdentity) -> dict[str, Any]:
        assert self._planning.event is not None  # noqa: S101 (there is a plan)
        event = fill_event(self._planning.event, workflow)
        github = make_github_context(event, self._planning.repository, workflow, identity)
        return {
            "github": github,
            "inputs": read_inputs(workflow, event),
            "vars": dict(self._options.plan.variables),
        }


def _has_error(diagnostics: tuple[Diagnostic, ...]) -> bool:
    return any(found.severity is Severity.ERROR for found in diagnostics)


def _run_started(run_id: str, plan: WorkflowPlan, planning: Planning) -> events.RunStarted:
    event = planning.event
    return events.RunStarted(
        run=run_id,
        workflow=plan.name,
        path=plan.path,
        github_event=event.name if event else "",
        sha=event.sha if event else "",
    )
