"""Carrying out one attempt of a run: its machine, its journal, its jobs, and what is told of it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from windlass.engine.announcements import describe_end
from windlass.engine.control import CANCELLED, ControlListener
from windlass.engine.journals.local import LocalJournal
from windlass.engine.local import LocalRun
from windlass.engine.resumption import resume
from windlass.model.status import Result
from windlass.model.values import dataclass, replace
from windlass.operations.earlier_events import find_ended, find_untold, read_told, recall_ends
from windlass.operations.job_starts import JobStarter
from windlass.operations.summaries import summarise_attempt
from windlass.plan.contexts import RunIdentity, make_github_context
from windlass.plan.inputs import fill_event, read_inputs
from windlass.plan.run import RunMachine
from windlass.plan.signals import JobFinished
from windlass.protocol import events
from windlass.protocol.event_lines import write_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from windlass.engine.groups.interface import Groups
    from windlass.engine.local import RunJob
    from windlass.engine.resumption import Resumption
    from windlass.errors import WindlassError
    from windlass.jobs.cancellation import Cancellation
    from windlass.lang.workflow.model import Workflow
    from windlass.operations.concealment import Concealment
    from windlass.operations.definitions import Definition
    from windlass.operations.history import Attempt, History
    from windlass.plan.orders import StartJob
    from windlass.plan.signals import Signal
    from windlass.protocol.events import RunEvent


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
        run.cancel(CANCELLED)
        if self._requests > 1:
            run.force()


class Undertaking:
    """One attempt while it is carried out, in the calling thread and those of its jobs."""

    def __init__(
        self,
        history: History,
        attempt: Attempt,
        definition: Definition,
        workflow: Workflow,
        concealment: Concealment,
        emit: Callable[[RunEvent], None],
    ) -> None:
        """Take an attempt that this process has claimed; `emit` gets its events, one at a time."""
        self._history = history
        self._attempt = attempt
        self._definition = definition
        self._workflow = workflow
        self._concealment = concealment
        self._emit = emit
        self._jobs: dict[str, Result] = {}
        self._has_summaries = False
        self._started = 0.0
        self.breakdowns: tuple[WindlassError, ...] = ()

    def carry_out(
        self, interruption: Interruption, kept: Mapping[str, JobFinished] | None = None
    ) -> WorkflowRun:
        """Begin the attempt, or go on where its journal ends, until the run has ended.

        The jobs of `kept` count as ended so, by key, and are not started.

        Raises:
            PlatformError: the history cannot be written.
        """
        self._started, definition = time.monotonic(), self._definition
        folder, cover, row = self._attempt.folder, self._concealment.cover, self._attempt.row
        starter = JobStarter(definition, folder, self._history, cover.cover)
        journal = LocalJournal(self._history.database, row, self._history.tell, cover)
        machine = make_machine(definition, self._workflow)
        resumption = resume(machine, journal)
        told = list(read_told(folder)) if resumption.count else []
        due = resumption.due
        run = LocalRun(
            machine,
            _answer_for(kept or {}, find_ended(told, due, cover), starter.run_job),
            emit=self._see,
            max_jobs=definition.max_jobs or os.cpu_count() or 1,
            journal=journal,
            resumption=resumption,
            open_groups=self._open_groups,
        )
        self._warn_of_lost_journal(resumption)
        self._see(self._describe_start())
        for event in recall_ends(told, due, cover):
            self._tell(event)
        for event in find_untold(told, due, journal.signals(), cover):
            self._see(event)
        with ControlListener(folder.control, run, cover.uncover):
            interruption.attach(run)
            result = run.run()
            interruption.attach(None)
        self.breakdowns = run.breakdowns
        self._has_summaries |= bool(resumption.count)
        return self._finish(result, starter, journal)

    def _finish(self, result: Result, starter: JobStarter, journal: LocalJournal) -> WorkflowRun:
        """Tell and note the end of the attempt."""
        definition, folder = self._definition, self._attempt.folder
        seconds = time.monotonic() - self._started
        self._see(events.RunFinished(run=definition.run, result=result, seconds=seconds))
        if self._has_summaries:
            folder.write_summary(summarise_attempt(self._attempt))
        # Before the end is noted: whatever is left behind then, a resumption still removes.
        kept = starter.close()
        journal.finish(time.time(), result)
        return WorkflowRun(
            id=definition.run,
            path=definition.path,
            name=definition.name,
            result=result,
            jobs=self._jobs,
            kept=kept,
        )

    def _open_groups(self, send: Callable[[Signal], None]) -> Groups:
        # Imported only where there is a group.
        from windlass.engine.groups.local import LocalGroups

        return LocalGroups(
            send,
            path=self._history.path,
            folders=self._history.folders,
            run=self._definition.run,
            attempt=self._definition.attempt,
            cover=self._concealment.cover,
        )

    def _see(self, event: RunEvent) -> None:
        """Hide the secrets of an event, keep it, and tell it."""
        event = self._concealment.conceal(event)
        if not isinstance(event, events.Output):
            self._attempt.folder.append_event(write_event(event, time.time()))
        self._tell(event)

    def _tell(self, event: RunEvent) -> None:
        if isinstance(event, events.JobFinished):
            self._jobs[event.job] = event.result
        elif isinstance(event, events.JobSkipped):
            self._jobs[event.job] = Result.SKIPPED
        elif isinstance(event, events.Summary):
            self._has_summaries = True
        self._emit(event)

    def _warn_of_lost_journal(self, resumption: Resumption) -> None:
        if not resumption.count and self._attempt.folder.events.exists():
            run = self._definition.run
            self._history.tell(f"there is no journal of run {run}: all its jobs run again")

    def _describe_start(self) -> events.RunStarted:
        definition = self._definition
        return events.RunStarted(
            run=definition.run,
            workflow=definition.name,
            path=definition.path,
            github_event=definition.event.name,
            sha=definition.event.sha,
        )


def make_machine(definition: Definition, workflow: Workflow) -> RunMachine:
    """Return the machine of an attempt, to which nothing has happened yet."""
    event = definition.event
    if event.name == "workflow_dispatch":
        payload = {**event.payload, "inputs": dict(definition.given.inputs)}
        event = replace(event, payload=payload)
    event = fill_event(event, workflow)
    identity = RunIdentity(
        id=int(definition.run), number=definition.number, attempt=definition.attempt
    )
    contexts: dict[str, Any] = {
        "github": make_github_context(event, definition.repository, workflow, identity),
        "inputs": read_inputs(workflow, event),
        "vars": dict(definition.given.vars),
    }
    return RunMachine(workflow, contexts, selection=definition.selection)


def _answer_for(
    kept: Mapping[str, JobFinished],
    ended: Mapping[str, events.JobFinished],
    run_job: RunJob,
) -> RunJob:
    """Return what runs jobs, but answers at once for those that are kept, or have ended."""

    def answer(
        order: StartJob, cancellation: Cancellation, emit: Callable[[RunEvent], None]
    ) -> JobFinished:
        if end := ended.get(order.key):
            emit(replace(end, job=order.key, name=order.name))
            return JobFinished(order.key, end.result, end.outputs, end.started)
        signal = kept.get(order.key)
        if signal is None:
            return run_job(order, cancellation, emit)
        emit(replace(describe_end(signal, order.name), kept=True))
        return signal

    return answer
