"""Running the workflows of a repository for one event, on this machine.

The workflows that the event starts run one after the other, in the order of their files: what a job
prints is told by the job's key, and two workflows may well have a job of the same name. Jobs within
a workflow run side by side.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from windlass.jobs.supervisor.client import prepare_supervisors
from windlass.lang.diagnostics import Diagnostic, Severity, has_error
from windlass.lang.expressions import to_text
from windlass.model.status import Result
from windlass.model.values import dataclass, field, replace
from windlass.operations.attempts import Interruption, Undertaking, WorkflowRun
from windlass.operations.concealment import Concealment
from windlass.operations.default_place import remember_place
from windlass.operations.definitions import Definition, Given
from windlass.operations.history import make_history
from windlass.operations.places import settle_places
from windlass.operations.plans import PlanOptions, plan_event
from windlass.operations.readiness import RefusedWorkflow, judge
from windlass.operations.tidying import end_leftovers, tidy_up
from windlass.plan.calls import find_called
from windlass.plan.default_place import ChosenPlace, describe_change, describe_choice
from windlass.plan.places import EVERY_LABEL
from windlass.plan.selection import Selection
from windlass.protocol import events
from windlass.stores.state_folder import STATE_FOLDER, prepare_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from windlass.errors import WindlassError
    from windlass.lang.workflow.model import Workflow
    from windlass.operations.history import History
    from windlass.operations.plans import Planning
    from windlass.plan.plan import WorkflowPlan
    from windlass.protocol.events import RunEvent

__all__ = ["Interruption", "RunOptions", "RunReport", "WorkflowRun", "run_event"]

EXIT_SUCCESS: Final = 0
EXIT_FAILURE: Final = 1
EXIT_PLATFORM: Final = 3
EXIT_CANCELLED: Final = 130

_DEFAULT_PLACE: Final = "default-place"
_KEEP: Final = "`-P '*=PLACE'`, or the same in the settings, keeps one"
_NO_PLAN_OPTIONS: Final = PlanOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a user may choose about a run, beyond what is planned (`plan`).

    `env` is added to every process.
    Jobs for an environment are held unless it is in `allowed_environments`. With `committed`
    uncommitted changes are left out, with `keep` the jobs' folders stay. `max_jobs` None means one
    job for every processor. `private` are names such as `vars.REGION` whose values history must not
    keep, since they come from files that only this machine has.
    """

    plan: PlanOptions = _NO_PLAN_OPTIONS
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    allowed_environments: frozenset[str] = frozenset()
    committed: bool = False
    keep: bool = False
    max_jobs: int | None = None
    private: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What came of an event.

    `refused` are the workflows that were not started, each because of an error among
    `diagnostics`; an error in the call starts none at all. An event that starts nothing is a
    success with a warning, since GitHub shows no run at all then; `planning` says why each workflow
    was left out, and is None where an earlier run goes on. `breakdowns` are errors of this machine.
    """

    planning: Planning | None = None
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
        return EXIT_FAILURE if failed or has_error(self.diagnostics) else EXIT_SUCCESS


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
        UsageError: the options name a place that jobs cannot run in.
        ExecutorError, DockerError: this machine cannot make such a place, or none at all.
        PlatformError: Git failed, or the state folder cannot be written.
    """
    prepare_supervisors()
    planning = plan_event(folder, event_name, options.plan)
    options = _settle(options, planning)
    readiness = judge(planning, event_name, options.plan.places)
    if tell is not None and readiness.diagnostics:
        tell(planning.library.root, readiness.diagnostics)
    for refused in readiness.refused:
        emit(events.WorkflowRefused(workflow=refused.name, path=refused.path))
    interruption = interruption or Interruption()
    runs: tuple[WorkflowRun, ...] = ()
    breakdowns: list[WindlassError] = []
    if readiness.ready:
        started = _Runs(planning, options, emit, interruption, _Telling(planning, tell))
        runs, breakdowns = tuple(started.run(readiness.ready)), started.breakdowns
    return RunReport(
        planning=planning,
        runs=runs,
        refused=readiness.refused,
        diagnostics=readiness.diagnostics,
        breakdowns=tuple(breakdowns),
        interrupted=interruption.requested,
    )


def _settle(options: RunOptions, planning: Planning) -> RunOptions:
    """Return the options with the places of all jobs that there may be."""
    wishes = options.plan
    places = settle_places(wishes.places, wishes.default_place, planning.plan)
    return replace(options, plan=replace(wishes, places=places))


class _Runs:
    """The runs of one event, one after the other."""

    def __init__(
        self,
        planning: Planning,
        options: RunOptions,
        emit: Callable[[RunEvent], None],
        interruption: Interruption,
        telling: _Telling,
    ) -> None:
        self._planning = planning
        self._options = options
        self._emit = emit
        self._telling = telling
        self._interruption = interruption
        self.breakdowns: list[WindlassError] = []

    def run(self, planned: tuple[WorkflowPlan, ...]) -> Iterator[WorkflowRun]:
        """Run workflows until all have ended or the user has interrupted."""
        state = Path(self._planning.repository.root) / STATE_FOLDER
        prepare_state(state)
        self._telling.tell_default(self._options.plan, state)
        history = make_history(state, self._telling.warn)
        try:
            end_leftovers(history)
            for plan in planned:
                if self._interruption.requested:
                    return
                yield self._run_one(history, plan)
            tidy_up(history)
        finally:
            history.close()

    def _run_one(self, history: History, plan: WorkflowPlan) -> WorkflowRun:
        workflows = {workflow.path: workflow for workflow in self._planning.library.workflows}
        workflow = workflows[plan.path]
        concealment = Concealment(self._options.secrets.values())
        draft = _define(self._planning, self._options, plan, workflow)
        definition, attempt = history.begin_run(draft, concealment.conceal_text)
        try:
            undertaking = Undertaking(
                history, attempt, definition, workflow, concealment, self._emit
            )
            run = undertaking.carry_out(self._interruption)
        finally:
            attempt.folder.release()
        self.breakdowns += undertaking.breakdowns
        return run


def _define(
    planning: Planning, options: RunOptions, plan: WorkflowPlan, workflow: Workflow
) -> Definition:
    """Return the definition of a run that has neither id nor number yet."""
    event = planning.event
    assert event is not None  # noqa: S101 (there is a plan)
    inputs: Any = event.payload.get("inputs") if event.name == "workflow_dispatch" else {}
    given = Given(
        secrets=options.secrets,
        inputs={name: to_text(value) for name, value in (inputs or {}).items()},
        vars=options.plan.variables,
        env=options.env,
    )
    paths = (workflow.path, *find_called(workflow))
    texts = {path: planning.library.texts[path] for path in paths}
    return Definition(
        run="",
        attempt=0,
        number=0,
        created=time.time(),
        name=plan.name,
        path=plan.path,
        texts={path: text.decode("utf-8", "surrogateescape") for path, text in texts.items()},
        repository=planning.repository,
        event=event,
        given=given,
        selection=Selection(options.plan.job, options.plan.matrix),
        places=options.plan.places,
        allowed_environments=options.allowed_environments,
        committed=options.committed,
        keep=options.keep,
        max_jobs=options.max_jobs,
        private=options.private,
        sources=planning.sources,
    )


class _Telling:
    """Says what somebody should know beside the diagnostics of the files."""

    def __init__(
        self, planning: Planning, tell: Callable[[Path, Sequence[Diagnostic]], None] | None
    ) -> None:
        self._root = planning.library.root
        self._tell = tell

    def warn(self, message: str) -> None:
        """Tell of trouble with history."""
        self._say(Diagnostic(code="history", message=message, severity=Severity.WARNING))

    def tell_default(self, wishes: PlanOptions, state: Path) -> None:
        """Say where jobs run that nothing is said of, and whether that was another place before."""
        chosen = wishes.default_place.choice
        if not isinstance(chosen, ChosenPlace):
            return
        others = wishes.places.keys() != {EVERY_LABEL}
        message = describe_choice(chosen, others_are_said=others)
        self._say(Diagnostic(code=_DEFAULT_PLACE, message=message, severity=Severity.NOTICE))
        if before := remember_place(state, chosen.place):
            message = describe_change(before, chosen)
            self._say(
                Diagnostic(
                    code=_DEFAULT_PLACE, message=message, severity=Severity.WARNING, hint=_KEEP
                )
            )

    def _say(self, found: Diagnostic) -> None:
        if self._tell is not None:
            self._tell(self._root, (found,))
