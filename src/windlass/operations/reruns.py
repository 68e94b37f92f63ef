"""Going on with a run that was interrupted, and running one again as its next attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.engine.journals.local import LocalJournal
from windlass.engine.resumption import replay
from windlass.errors import InputError, PlatformError, UsageError
from windlass.jobs.supervisor.sweep import sweep
from windlass.lang.workflow.reading import read_workflow
from windlass.model.values import replace
from windlass.operations.attempts import Undertaking, make_machine
from windlass.operations.concealment import Concealment
from windlass.operations.definitions import complete
from windlass.operations.places import require_places
from windlass.operations.runs import RunReport
from windlass.operations.tidying import sweep_daemons
from windlass.plan.orders import DropJob, RejectJob, StartJob
from windlass.plan.places import merge_places
from windlass.plan.reruns import EarlierJob, find_kept, select_failed, select_named
from windlass.plan.signals import JobFinished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.lang.workflow.model import Workflow
    from windlass.operations.attempts import Interruption
    from windlass.operations.definitions import Definition, Given
    from windlass.operations.history import Attempt, History
    from windlass.plan.orders import Order
    from windlass.protocol.events import RunEvent

ALL: Final = ""
FAILED: Final = "failed"
_JOB: Final = "job "
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
    sweep_daemons(history)
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
    sweep_daemons(history)
    before = history.find(name)
    if before.is_live:
        raise _refuse_live(before.row.run.id)
    definition = replace(complete(_read(history, before, given, local), given, local), again=again)
    concealment = Concealment(definition.given.secrets.values())
    # Found out before anything of the new attempt exists.
    definition = _move(definition, places)
    _find_kept(history, before, definition, _read_workflow(definition))
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


def name_job(job: str) -> str:
    """Return what stands for running one job again, with all that needs it."""
    return _JOB + job


def _undertake(
    history: History,
    attempt: Attempt,
    definition: Definition,
    emit: Callable[[RunEvent], None],
    interruption: Interruption,
) -> RunReport:
    workflow = _read_workflow(definition)
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
    if definition.again == ALL:
        return {}
    jobs = _list_jobs(history, before, definition, workflow)
    if definition.again == FAILED:
        again = select_failed(jobs)
        if not again:
            run = definition.run
            raise UsageError(
                f"nothing failed in run {run}", hint=f"`windlass rerun {run}` runs all of it again"
            )
    else:
        job = definition.again.removeprefix(_JOB)
        again = select_named(jobs, job)
        if not again:
            known = ", ".join(it.key for it in jobs)
            raise InputError(f"no job '{job}' was started in the run", hint=f"there are: {known}")
    return find_kept(workflow, jobs, again)


def _list_jobs(
    history: History, before: Attempt, definition: Definition, workflow: Workflow
) -> list[EarlierJob]:
    """Return the jobs of an attempt, as a machine that is told its journal again knows them."""
    earlier = replace(definition, attempt=before.row.attempt)
    concealment = Concealment(definition.given.secrets.values())
    journal = LocalJournal(history.database, before.row, history.tell, concealment.cover)
    paths: dict[str, tuple[str, ...]] = {}
    ends: dict[str, JobFinished] = {}
    for signal, orders in replay(make_machine(earlier, workflow), journal):
        if isinstance(signal, JobFinished):
            ends[signal.key] = signal
        paths.update(_paths_of(orders))
    return [EarlierJob(key, path, ends.get(key)) for key, path in paths.items()]


def _paths_of(orders: tuple[Order, ...]) -> dict[str, tuple[str, ...]]:
    kinds = StartJob | DropJob | RejectJob
    return {order.key: order.path for order in orders if isinstance(order, kinds)}


def _read_workflow(definition: Definition) -> Workflow:
    """Return the workflow as it was when the run began.

    Raises:
        PlatformError: this version reads it otherwise than the one that began the run.
    """
    texts = {
        path: text.encode("utf-8", "surrogateescape") for path, text in definition.texts.items()
    }
    reading = read_workflow(definition.path, texts[definition.path], resolve=texts.get)
    if reading.workflow is None:
        raise PlatformError(
            f"{definition.path} of run {definition.run} cannot be read any more: "
            f"{reading.diagnostics[0].message}",
            hint="use the version of Windlass that began the run, or start the run anew",
        )
    return reading.workflow


def _refuse_live(run: str) -> UsageError:
    return UsageError(f"run {run} goes on at this moment", hint=f"`windlass cancel {run}` ends it")
