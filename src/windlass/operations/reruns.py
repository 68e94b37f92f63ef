"""Going on with a run that was interrupted, and running one again as its next attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.engine.journals.local import LocalJournal
from windlass.errors import UsageError
from windlass.jobs.supervisor.sweep import sweep
from windlass.model.values import replace
from windlass.operations.attempts import Undertaking
from windlass.operations.concealment import Concealment
from windlass.operations.definitions import complete
from windlass.operations.kept_jobs import (
    ALL,
    FAILED,
    find_kept_jobs,
    name_job,
    read_workflow_of,
)
from windlass.operations.places import require_places
from windlass.operations.runs import RunReport
from windlass.operations.tidying import sweep_daemons
from windlass.plan.places import merge_places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.lang.workflow.model import Workflow
    from windlass.operations.attempts import Interruption
    from windlass.operations.definitions import Definition, Given
    from windlass.operations.history import Attempt, History
    from windlass.plan.signals import JobFinished
    from windlass.protocol.events import RunEvent

__all__ = ["ALL", "FAILED", "name_job", "rerun", "resume_run"]

_AS_BEFORE: Final[Mapping[str, str]] = {}


def resume_run(
    history: History,
    name: str,
    given: Given,
    local: Given,
    emit: Callable[[RunEvent], None],
    interruption: Interruption,
    places: Mapping[str, str] = _AS_BEFORE,
) -> RunReport:
    """Go on with a run where it was interrupted: jobs that have ended are kept.

    Those that were running start again. `name` is a run's id, its beginning or its end; `given` and
    `local` are values that history does not keep, see `windlass.operations.definitions.complete`.
    Jobs run where they did, but for labels in `places`.

    Raises:
        InputError: there is no such run, or values are missing.
        UsageError: the run has ended, or goes on at this moment.
        PlatformError: the history cannot be read or written.
    """
    # The supervisors of interrupted jobs may still be ending these.
    sweep(history.folders.path)
    sweep_daemons(history.tell)
    attempt = history.find(name)
    run = attempt.row.run.id
    if attempt.row.result is not None:
        raise UsageError(
            f"run {run} was not interrupted: it has ended ({attempt.row.result})",
            hint=f"`windlass rerun {run}` starts it again",
        )
    if not attempt.folder.claim():
        raise _refuse_live(run)
    try:
        # It may have ended between the question and the lock.
        if history.attempts(run)[-1].row.result is not None:
            return resume_run(history, name, given, local, emit, interruption, places)
        definition = complete(_read(history, attempt, given, local), given, local)
        definition = _move(definition, places)
        return _undertake(history, attempt, definition, emit, interruption)
    finally:
        attempt.folder.release()


def rerun(
    history: History,
    name: str,
    again: str,
    given: Given,
    local: Given,
    emit: Callable[[RunEvent], None],
    interruption: Interruption,
    places: Mapping[str, str] = _AS_BEFORE,
) -> RunReport:
    """Run again what a run has run: the same commit, files, event and options, as a new attempt.

    `again` is ALL, FAILED, or what `name_job` returns; the other jobs count as they have ended.
    `given` and `local` are values that history does not keep, see
    `windlass.operations.definitions.complete`. Jobs run where they did, but for labels in `places`.

    Raises:
        InputError: there is no such run or job, or values are missing.
        UsageError: the run goes on at this moment, or nothing of it has failed.
        PlatformError: the history cannot be read or written.
    """
    sweep_daemons(history.tell)
    before = history.find(name)
    if before.is_live:
        raise _refuse_live(before.row.run.id)
    definition = replace(complete(_read(history, before, given, local), given, local), again=again)
    concealment = Concealment(definition.given.secrets.values())
    # Found out before anything of the new attempt exists.
    definition = _move(definition, places)
    _find_kept(history, before, definition, read_workflow_of(definition))
    definition, attempt = history.begin_attempt(definition, concealment.conceal_text)
    try:
        return _undertake(history, attempt, definition, emit, interruption)
    finally:
        attempt.folder.release()


def _read(history: History, attempt: Attempt, given: Given, local: Given) -> Definition:
    return history.read(attempt, {**local.secrets, **given.secrets})


def _move(definition: Definition, places: Mapping[str, str]) -> Definition:
    """Return a definition whose labels run elsewhere, as far as they are named.

    Raises:
        UsageError: there is no such place.
        ExecutorError, DockerError: this machine cannot make it, or that of the run any more.
    """
    merged = merge_places(definition.places, places)
    require_places(merged)
    return replace(definition, places=merged)


def _undertake(
    history: History,
    attempt: Attempt,
    definition: Definition,
    emit: Callable[[RunEvent], None],
    interruption: Interruption,
) -> RunReport:
    workflow = read_workflow_of(definition)
    kept: Mapping[str, JobFinished] = {}
    if definition.again:
        earlier = history.attempts(definition.run)
        before = [it for it in earlier if it.row.attempt < definition.attempt][-1]
        kept = _find_kept(history, before, definition, workflow)
    concealment = Concealment(definition.given.secrets.values())
    undertaking = Undertaking(history, attempt, definition, workflow, concealment, emit)
    run = undertaking.carry_out(interruption, kept)
    return RunReport(
        runs=(run,), breakdowns=undertaking.breakdowns, interrupted=interruption.requested
    )


def _find_kept(
    history: History, before: Attempt, definition: Definition, workflow: Workflow
) -> dict[str, JobFinished]:
    """Return how jobs of the attempt before ended that count as they are.

    Raises:
        InputError: there is no job of that name.
        UsageError: nothing has failed.
    """
    earlier = replace(definition, attempt=before.row.attempt)
    concealment = Concealment(definition.given.secrets.values())
    journal = LocalJournal(history.database, before.row, history.tell, concealment.cover)
    return find_kept_jobs(earlier, workflow, journal, definition.again)


def _refuse_live(run: str) -> UsageError:
    return UsageError(f"run {run} goes on at this moment", hint=f"`windlass cancel {run}` ends it")
