"""Figures of workflows: how often they succeed, how long they take, what they warn of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.hosted_runs import REPOSITORY, open_site

from windlass.db.announcements import add_announcements
from windlass.db.runs import AttemptRow, RunFilter, RunRow, enter_attempt, enter_run
from windlass.model.status import Result
from windlass.operations.hosted.catalogue import find_operation
from windlass.operations.hosted.statistics import measure_workflows
from windlass.protocol import events
from windlass.protocol.api.statistics import ShowStatistics
from windlass.protocol.event_lines import write_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

ENDS = (
    # The result, seconds, commit, warnings, errors: the oldest first.
    (Result.SUCCESS, 10.0, "a", 1, 0),
    (Result.FAILURE, 20.0, "a", 0, 2),
    (Result.SUCCESS, 30.0, "b", 1, 0),
    (Result.SUCCESS, 40.0, "b", 0, 0),
    (Result.CANCELLED, 999.0, "b", 0, 0),
    (None, 0.0, "c", 5, 5),
)


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    with open_site(database_address, tmp_path) as made:
        for number, end in enumerate(ENDS, 1):
            enter(made, number, *end)
        enter(made, 9, Result.SUCCESS, 5.0, "a", 0, 0, path="other.yml")
        yield made


def enter(
    site: Site,
    number: int,
    result: Result | None,
    seconds: float,
    sha: str,
    warnings: int,
    errors: int,
    *,
    path: str = ".github/workflows/ci.yml",
) -> None:
    run = RunRow(
        id=str(number),
        number=number,
        workflow="CI",
        path=path,
        event="push",
        sha=sha,
        ref="refs/heads/main",
        created=float(number),
        repository=REPOSITORY,
    )
    attempt = AttemptRow(
        run=run,
        attempt=1,
        started=100.0,
        finished=None if result is None else 100.0 + seconds,
        result=result,
    )
    told = [events.JobStarted(job="a", name='"level": "warning"')]
    levels = ["warning"] * warnings + ["error"] * errors + ["notice"]
    notes = [
        events.Annotation(job="a", step="", level=it, message='"level": "error"') for it in levels
    ]
    with site.store.writing() as connection:
        enter_run(connection, run)
        enter_attempt(connection, attempt)
        lines = [write_event(it, 1.0) for it in (*told, *notes)]
        add_announcements(connection, run.id, 1, lines)


@pytest.mark.requirement("A25")
def test_figures_of_a_workflow(site: Site) -> None:
    """Success rate, average time, warnings and errors, and whether a commit does the same again."""
    figures, other = measure_workflows(site, RunFilter(repository=REPOSITORY), 100)

    counts = (figures.runs, figures.success, figures.failure, figures.cancelled)
    assert counts == (5, 3, 1, 1)
    assert (figures.success_rate, figures.average_seconds) == (0.75, 25.0)
    assert (figures.warnings, figures.errors) == (2, 2)
    assert figures.reproducibility == 0.5
    assert (other.path, other.runs, other.reproducibility) == ("other.yml", 1, None)


def test_figures_are_of_the_latest_runs(site: Site) -> None:
    """Of the three newest, one goes on and one says nothing of the code."""
    figures, other = measure_workflows(site, RunFilter(repository=REPOSITORY), 3)

    assert (figures.runs, figures.cancelled, figures.success_rate) == (1, 1, None)
    assert other.runs == 1


def test_figures_of_nothing(site: Site) -> None:
    """A branch without runs has none."""
    given = ShowStatistics(repository="octo/boat7", workflow="ci.yml", branch="topic")

    assert find_operation("statistics.show").carry_out(site, given).items == []
