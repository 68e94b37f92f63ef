"""How workflows have done lately: how often they succeed, how long they take, what they warn of."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from windlass.db.runs import list_page
from windlass.db.statistics import AnnotationCount, count_annotations, list_results
from windlass.model.status import Result
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.db.runs import AttemptRow, RunFilter
    from windlass.operations.hosted.site import Site

_JUDGED: Final = frozenset({Result.SUCCESS, Result.FAILURE})
"""What says something of the code: a run that was cancelled says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFigures:
    """How the latest runs of a workflow file that have ended did, by their last attempts.

    `success_rate` is the part of those not cancelled that succeeded, `average_seconds` how long
    those took. `reproducibility` is the part of the commits that were run more than once whose
    results were all the same. Each is None where there is nothing to tell it from. `repository` is
    an id.
    """

    repository: str
    path: str
    workflow: str
    runs: int
    success: int
    failure: int
    cancelled: int
    success_rate: float | None
    average_seconds: float | None
    reproducibility: float | None
    warnings: int
    errors: int


def measure_workflows(site: Site, wanted: RunFilter, last: int) -> list[WorkflowFigures]:
    """Return the figures of the workflows whose runs are among the `last` ones that are wanted.

    Workflows come by repository and path.

    Raises:
        PlatformError: the database cannot be used.
    """
    grouped: defaultdict[tuple[str, str], list[AttemptRow]] = defaultdict(list)
    for row in list_page(site.store, wanted, last):
        if row.result is not None:
            grouped[row.run.repository, row.run.path].append(row)
    runs = [row.run.id for rows in grouped.values() for row in rows]
    annotations = count_annotations(site.store, runs)
    results: defaultdict[str, list[Result]] = defaultdict(list)
    for run, result in list_results(site.store, runs):
        results[run].append(result)
    return [_measure(grouped[key], annotations, results) for key in sorted(grouped)]


def _measure(
    rows: Sequence[AttemptRow],
    annotations: Mapping[str, AnnotationCount],
    results: Mapping[str, Sequence[Result]],
) -> WorkflowFigures:
    newest = rows[0].run
    judged = [row for row in rows if row.result in _JUDGED]
    seconds = [row.finished - row.started for row in judged if row.finished is not None]
    counts = {it: sum(row.result is it for row in rows) for it in Result}
    told = [annotations.get(row.run.id, AnnotationCount()) for row in rows]
    return WorkflowFigures(
        repository=newest.repository,
        path=newest.path,
        workflow=newest.workflow,
        runs=len(rows),
        success=counts[Result.SUCCESS],
        failure=counts[Result.FAILURE],
        cancelled=counts[Result.CANCELLED],
        success_rate=_divide(counts[Result.SUCCESS], len(judged)),
        average_seconds=_divide(sum(seconds), len(seconds)),
        reproducibility=_judge_reproducibility(rows, results),
        warnings=sum(it.warnings for it in told),
        errors=sum(it.errors for it in told),
    )


def _judge_reproducibility(
    rows: Sequence[AttemptRow], results: Mapping[str, Sequence[Result]]
) -> float | None:
    by_commit: defaultdict[str, list[Result]] = defaultdict(list)
    for row in rows:
        by_commit[row.run.sha] += [it for it in results[row.run.id] if it in _JUDGED]
    repeated = [it for it in by_commit.values() if len(it) > 1]
    return _divide(sum(len(set(it)) == 1 for it in repeated), len(repeated))


def _divide(part: float, whole: int) -> float | None:
    return part / whole if whole else None
