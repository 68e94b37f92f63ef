"""Runs of a server: how they are started, ended and run again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tests.hosted_runs import PATH, REPOSITORY, Values, define, open_site

from windlass.db.announcements import read_announcements
from windlass.db.jobs import claim_job, list_queued, list_running
from windlass.db.runs import list_attempts
from windlass.errors import ConflictError, InputError, MissingError, UsageError
from windlass.model.status import Result
from windlass.operations.hosted.attempts import (
    CANCELLED,
    cancel_run,
    find_attempt,
    make_runs,
    open_attempt,
    rerun,
    start_run,
)
from windlass.operations.kept_jobs import ALL, FAILED, name_job
from windlass.plan.signals import JobFinished
from windlass.protocol import events
from windlass.protocol.event_lines import read_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.operations.hosted.site import Site

FLEET = """
on: push
jobs:
  a:
    runs-on: x
    outputs: {cargo: ignored}
    steps: [{run: echo}]
  b:
    needs: a
    runs-on: x
    env: {CARGO: '${{ needs.a.outputs.cargo }}'}
    steps: [{run: echo}]
  c: {needs: a, runs-on: x, steps: [{run: echo}]}
  d: {needs: [b, c], runs-on: x, steps: [{run: echo}]}
"""


@pytest.fixture
def site(database_address: str, tmp_path: Path) -> Iterator[Site]:
    with open_site(database_address, tmp_path) as made:
        yield made


def queued(site: Site) -> list[tuple[int, str]]:
    return [(row.attempt, row.job) for row in list_queued(site.store, 99)]


def told(site: Site, run: str, attempt: int) -> list[events.RunEvent]:
    lines = read_announcements(site.store, run, attempt, 0)
    return [found[0] for found in map(read_event, lines) if found]


def end(site: Site, run: str, attempt: int, *jobs: str, result: Result = Result.SUCCESS) -> None:
    for job in jobs:
        outputs = {"cargo": "tea"} if job == "a" else {}
        assert site.runs.tell(run, attempt, JobFinished(job, result, outputs))


def test_a_run_is_told_of_from_its_beginning_to_its_end(site: Site) -> None:
    """Its row, its number, its definition and its first event are there with its first job."""
    run = start_run(site, REPOSITORY, define(FLEET))
    assert queued(site) == [(1, "a")]
    (row,) = list_attempts(site.store, run)
    assert (row.run.number, row.run.path, row.run.repository) == (1, PATH, REPOSITORY)
    assert find_attempt(site.store, run, 1).run == run
    end(site, run, 1, "a", "b", "c", "d")
    first, last = told(site, run, 1)
    assert isinstance(first, events.RunStarted)
    assert isinstance(last, events.RunFinished)
    assert (first.run, last.run, last.result) == (run, run, Result.SUCCESS)
    assert last.seconds >= 0


def test_runs_are_numbered_by_workflow_file(site: Site) -> None:
    """Each file of a repository counts its own, whoever starts them at the same time."""
    paths = ["a.yml", "b.yml"] * 5
    threads = [
        threading.Thread(target=start_run, args=(site, REPOSITORY, define(FLEET, path=path)))
        for path in paths
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = sorted(site.store.ask("SELECT path, number FROM runs"))
    assert numbers == [(path, number) for path in ("a.yml", "b.yml") for number in range(1, 6)]


def test_a_delivery_starts_a_workflow_once(site: Site) -> None:
    """Whoever handles it again, after a crash or beside another, gets the run there is."""
    run = start_run(site, REPOSITORY, define(FLEET), delivery="d1")
    assert start_run(site, REPOSITORY, define(FLEET), delivery="d1") == run
    assert start_run(site, REPOSITORY, define(FLEET, path="b.yml"), delivery="d1") != run
    assert start_run(site, REPOSITORY, define(FLEET), delivery="d2") != run
    assert len(queued(site)) == 3


def test_a_repository_that_is_not_there_starts_nothing(site: Site) -> None:
    with pytest.raises(MissingError, match="no repository 8"):
        start_run(site, "8", define(FLEET))
    assert site.store.ask("SELECT id FROM runs") == []


def test_variables_are_those_of_the_beginning(database_address: str, tmp_path: Path) -> None:
    """A run goes on with what it began with, and its secrets are written nowhere."""
    values = Values({"PORT": "Bergen"}, {"KEY": "hunter2"})
    text = FLEET.replace("runs-on: x", "runs-on: '${{ vars.PORT }}'")
    with open_site(database_address, tmp_path, values=values) as site:
        run = start_run(site, REPOSITORY, define(text))
        values.variables = {"PORT": "Oslo"}
        end(site, run, 1, "a")
        assert {row.labels for row in list_queued(site.store, 9)} == {("Bergen",)}
        assert dict(find_attempt(site.store, run, 1).given.secrets) == {}


def test_cancelling_a_run(site: Site) -> None:
    """What nobody has taken ends at once; a run that has ended cannot be cancelled."""
    run = start_run(site, REPOSITORY, define(FLEET))
    assert cancel_run(site, run, "enough") == 1
    assert list_attempts(site.store, run)[0].result is Result.CANCELLED
    with pytest.raises(ConflictError, match="has ended"):
        cancel_run(site, run)
    with pytest.raises(MissingError, match="no run 5"):
        cancel_run(site, "5")


ALWAYS = """
on: push
jobs:
  a: {runs-on: x, steps: [{run: echo}]}
  b: {if: always(), runs-on: x, steps: [{run: echo}]}
  c: {needs: [a, b], if: always(), runs-on: x, steps: [{run: echo}]}
"""


def test_cancelling_a_run_by_force(site: Site) -> None:
    """What asks to run always does not, neither at once nor later, through another server."""
    run = start_run(site, REPOSITORY, define(ALWAYS))
    cancel_run(site, run)
    assert queued(site) == [(1, "b")]
    (row,) = list_queued(site.store, 9)
    with site.store.writing() as connection:
        claim_job(connection, row, "r1", 1.0)

    cancel_run(site, run, force=True)
    (row,) = list_running(site.store, "r1")
    assert (row.reason, row.forced) == (CANCELLED, True)
    other = make_runs(site.store, site.changes)
    assert other.tell(run, 1, JobFinished("b", Result.CANCELLED))

    assert queued(site) == []
    assert list_attempts(site.store, run)[0].result is Result.CANCELLED


def test_by_force_what_waits_ends_at_once(site: Site) -> None:
    """Also where nobody has asked politely before."""
    run = start_run(site, REPOSITORY, define(ALWAYS))

    cancel_run(site, run, force=True)

    assert queued(site) == []
    assert list_attempts(site.store, run)[0].result is Result.CANCELLED
    ends = {it.job: it.result for it in told(site, run, 1) if isinstance(it, events.JobFinished)}
    assert ends == dict.fromkeys("abc", Result.CANCELLED)


def test_running_all_again(site: Site) -> None:
    """A new attempt of the same run begins from its first job."""
    run = start_run(site, REPOSITORY, define(FLEET))
    end(site, run, 1, "a", "b", "c", "d")
    assert rerun(site, run, ALL) == 2
    assert queued(site) == [(2, "a")]
    end(site, run, 2, "a", "b", "c", "d")
    assert [row.result for row in list_attempts(site.store, run)] == [Result.SUCCESS] * 2


def test_running_again_what_failed(site: Site) -> None:
    """The other jobs count as they ended, with their outputs, also in the attempt after that."""
    run = start_run(site, REPOSITORY, define(FLEET))
    end(site, run, 1, "a", "b")
    end(site, run, 1, "c", result=Result.FAILURE)
    for attempt in (2, 3):
        assert rerun(site, run, FAILED) == attempt
        assert queued(site) == [(attempt, "c")]
        kept = [it for it in told(site, run, attempt) if isinstance(it, events.JobFinished)]
        assert [(it.job, it.kept) for it in kept] == [("a", True), ("b", True)]
        assert dict(kept[0].outputs) == {"cargo": "tea"}
        end(site, run, attempt, "c", result=Result.FAILURE)
    assert rerun(site, run, FAILED) == 4
    end(site, run, 4, "c")
    assert queued(site) == [(4, "d")]
    order = open_attempt(site.store, run, 4)
    assert set(order.kept) == {"a", "b"}


def test_running_one_job_again(site: Site) -> None:
    """It runs with all that needs it; another process of the server knows what is kept."""
    run = start_run(site, REPOSITORY, define(FLEET))
    end(site, run, 1, "a", "b", "c", "d")
    rerun(site, run, name_job("b"))
    assert queued(site) == [(2, "b")]
    other = open_attempt(site.store, run, 2)
    assert set(other.kept) == {"a", "c"}
    end(site, run, 2, "b")
    assert queued(site) == [(2, "d")]
    start = site.runs.find_start(run, 2, "d")
    assert start is not None
    assert set(start.contexts["needs"]) == {"b", "c"}


@pytest.mark.parametrize(
    ("again", "error", "said"),
    [
        (FAILED, UsageError, "nothing failed"),
        (name_job("z"), InputError, "no job 'z'"),
    ],
)
def test_what_cannot_run_again(site: Site, again: str, error: type[Exception], said: str) -> None:
    """No attempt is begun where nothing would run in it."""
    run = start_run(site, REPOSITORY, define(FLEET))
    with pytest.raises(ConflictError, match="goes on"):
        rerun(site, run, ALL)
    end(site, run, 1, "a", "b", "c", "d")
    with pytest.raises(error, match=said):
        rerun(site, run, again)
    assert len(list_attempts(site.store, run)) == 1
    with pytest.raises(MissingError):
        rerun(site, "5", ALL)
