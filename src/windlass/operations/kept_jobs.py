"""What the next attempt of a run keeps of the one before: the jobs that are not to run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.engine.resumption import replay
from windlass.errors import InputError, PlatformError, UsageError
from windlass.lang.workflow.reading import read_workflow
from windlass.operations.attempts import make_machine
from windlass.plan.orders import DropJob, RejectJob, StartJob
from windlass.plan.reruns import EarlierJob, find_kept, select_failed, select_named
from windlass.plan.signals import JobFinished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.engine.journals.interface import Journal
    from windlass.lang.workflow.model import Workflow
    from windlass.operations.definitions import Definition
    from windlass.plan.orders import Order

ALL: Final = ""
FAILED: Final = "failed"
_JOB: Final = "job "


def name_job(job: str) -> str:
    """Return what stands for running one job again, with all that needs it."""
    return _JOB + job


def find_kept_jobs(
    earlier: Definition, workflow: Workflow, journal: Journal, again: str
) -> dict[str, JobFinished]:
    """Return by key how jobs of an earlier attempt ended that count as they are.

    `journal` is that attempt's; `again` is ALL, FAILED, or what `name_job` returns.

    Raises:
        InputError: there is no job of that name.
        UsageError: nothing has failed.
    """
    if again == ALL:
        return {}
    jobs = _list_jobs(earlier, workflow, journal)
    return find_kept(workflow, jobs, _select(jobs, again, earlier.run))


def _select(jobs: list[EarlierJob], again: str, run: str) -> list[EarlierJob]:
    if again == FAILED:
        if failed := select_failed(jobs):
            return failed
        raise UsageError(
            f"nothing failed in run {run}", hint=f"`windlass rerun {run}` runs all of it again"
        )
    job = again.removeprefix(_JOB)
    if named := select_named(jobs, job):
        return named
    known = ", ".join(it.key for it in jobs)
    raise InputError(f"no job '{job}' was started in the run", hint=f"there are: {known}")


def _list_jobs(earlier: Definition, workflow: Workflow, journal: Journal) -> list[EarlierJob]:
    """Return the jobs of an attempt, as a machine that is told its journal again knows them."""
    paths: dict[str, tuple[str, ...]] = {}
    ends: dict[str, JobFinished] = {}
    for signal, orders in replay(make_machine(earlier, workflow), journal):
        if isinstance(signal, JobFinished):
            ends[signal.key] = signal
        paths.update(_paths_of(orders))
    return [EarlierJob(key, path, ends.get(key)) for key, path in paths.items()]


def _paths_of(orders: Sequence[Order]) -> dict[str, tuple[str, ...]]:
    kinds = StartJob | DropJob | RejectJob
    return {order.key: order.path for order in orders if isinstance(order, kinds)}


def read_workflow_of(definition: Definition) -> Workflow:
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
