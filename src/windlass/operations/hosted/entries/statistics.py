"""How workflows have done lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.db.repositories import find_names
from windlass.operations.hosted.entries.runs import read_filter
from windlass.operations.hosted.operation import Operation
from windlass.operations.hosted.statistics import measure_workflows
from windlass.protocol.api import statistics as api

if TYPE_CHECKING:
    from windlass.operations.hosted.site import Site
    from windlass.operations.hosted.statistics import WorkflowFigures


def show_statistics(site: Site, given: api.ShowStatistics) -> api.Statistics:
    """Show how workflows did in their latest runs: success rate, average time, warnings, errors.

    Runs that go on are left out, and of runs that were run again the last attempt counts.
    """
    figures = measure_workflows(site, read_filter(site, given), given.last)
    names = find_names(site.store, {it.repository for it in figures})
    return api.Statistics(
        items=[_describe(it, names.get(it.repository, it.repository)) for it in figures]
    )


def _describe(figures: WorkflowFigures, repository: str) -> api.WorkflowStatistics:
    values = {name: getattr(figures, name) for name in api.WorkflowStatistics.model_fields}
    return api.WorkflowStatistics(**{**values, "repository": repository})


OPERATIONS: Final = (Operation(call=api.SHOW, effect="read", function=show_statistics),)
