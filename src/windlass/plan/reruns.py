"""Which jobs of an earlier attempt count in the next one, and which run again.

Source: https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.casing import equals_ignoring_case, fold
from windlass.lang.workflow.model import CallJob
from windlass.model.status import Result
from windlass.model.values import dataclass
from windlass.plan.selection import order_jobs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from windlass.lang.workflow.model import Workflow
    from windlass.plan.signals import JobFinished

Path = tuple[str, ...]
"""The ids of the calls that lead to a job, and its own."""


@dataclass(frozen=True, slots=True)
class EarlierJob:
    """A job of the earlier attempt; `end` is None where it did not come to one."""

    key: str
    path: Path
    end: JobFinished | None


def select_failed(jobs: Iterable[EarlierJob]) -> list[EarlierJob]:
    """Return the jobs that failed, were cancelled or did not end."""
    good = (Result.SUCCESS, Result.SKIPPED)
    return [job for job in jobs if job.end is None or job.end.result not in good]


def select_named(jobs: Iterable[EarlierJob], name: str) -> list[EarlierJob]:
    """Return the job with a key, else all legs of the job with that id."""
    known = list(jobs)
    exact = [job for job in known if job.key == name]
    return exact or [job for job in known if equals_ignoring_case(job.path[-1], name)]


def find_kept(
    workflow: Workflow, jobs: Iterable[EarlierJob], again: Collection[EarlierJob]
) -> dict[str, JobFinished]:
    """Return by key how jobs ended that count as they are.

    Those of `again` run once more, and so does every job that needs one of them, directly or not.
    """
    keys = {job.key for job in again}
    touched = {part for job in again for part in _parts(job.path)}
    needs = dict(_all_needs(workflow, ()))
    return {
        job.key: job.end
        for job in jobs
        if job.end is not None and job.key not in keys and not _is_affected(job, needs, touched)
    }


def _is_affected(
    job: EarlierJob, needs: Mapping[Path, frozenset[Path]], touched: Collection[Path]
) -> bool:
    """Tell whether a job, or a call that leads to it, needs something that runs once more."""
    return any(not needs[part].isdisjoint(touched) for part in _parts(job.path))


def _parts(path: Path) -> Iterator[Path]:
    """Yield the paths of the calls that lead to a job, and its own."""
    return (path[:length] for length in range(1, len(path) + 1))


def _all_needs(workflow: Workflow, around: Path) -> Iterator[tuple[Path, frozenset[Path]]]:
    """Yield the path of each job, also in called workflows, and those of all that it needs."""
    known: dict[str, frozenset[Path]] = {}
    for job, needs in order_jobs(workflow):
        direct = frozenset((*around, need) for need in needs)
        known[fold(job.id)] = direct.union(*(known[fold(need)] for need in needs))
        path = (*around, job.id)
        yield path, known[fold(job.id)]
        if isinstance(job, CallJob) and job.called is not None:
            yield from _all_needs(job.called, path)
