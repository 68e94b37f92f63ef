"""How attempts look is read on from where it was left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.live_server import GrowingRun

from windlass.model.status import Result
from windlass.operations.hosted import attempt_views
from windlass.operations.hosted.entries.jobs import get_job, list_jobs
from windlass.protocol import events
from windlass.protocol.api.jobs import FindJob, ListJobs

if TYPE_CHECKING:
    import pytest

    from windlass.operations.hosted.site import Site

LIST = ListJobs(run="1")


def started(job: str) -> events.RunEvent:
    return events.JobStarted(job=job, name=job.upper())


def look(site: Site) -> list[tuple[str, str, int | None]]:
    return [(it.name, it.state, it.number) for it in list_jobs(site, LIST).items]


def test_what_is_told_later_is_seen(site: Site) -> None:
    """A job is queued, runs and ends; one that was never queued comes last."""
    run = GrowingRun(site)
    run.add_job("build")
    assert look(site) == [("build", "queued", 1)]

    run.say(started("build"), events.JobSkipped(job="ship", name="Ship", reason="no"))
    with site.store.writing() as connection:
        connection.execute("UPDATE jobs SET state = 'running'")
    assert look(site) == [("BUILD", "running", 1), ("Ship", "skipped", None)]

    finished = events.JobFinished(job="build", name="BUILD", result=Result.SUCCESS, seconds=1.5)
    run.say(finished)
    run.end_job("build")
    assert look(site)[0] == ("BUILD", "success", 1)
    assert get_job(site, FindJob(run="1", number=1)).seconds == 1.5


def test_what_has_no_end_was_interrupted(site: Site) -> None:
    """Of an attempt that is over nothing runs any more."""
    run = GrowingRun(site)
    run.add_job("build")
    run.say(started("build"), events.StepStarted(job="build", step="1", name="Compile"))
    run.end_job("build")
    assert look(site) == [("BUILD", "running", 1)]

    run.end(Result.FAILURE)

    job = get_job(site, FindJob(run="1", number=1))
    assert (job.state, job.steps[0].state) == ("interrupted", "interrupted")


def test_events_are_read_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked again, it reads what is new; what is too large is not kept."""
    asked: list[int] = []
    read = attempt_views.read_announcements

    def count(store: Any, run: str, attempt: int, first: int = 0) -> list[str]:
        asked.append(first)
        return read(store, run, attempt, first)

    monkeypatch.setattr(attempt_views, "read_announcements", count)
    run = GrowingRun(site)
    run.say(started("a"), started("b"))
    look(site)
    run.say(started("c"))
    look(site)
    assert len(look(site)) == 3
    assert asked == [0, 2, 3]

    monkeypatch.setattr(attempt_views, "MOST_LETTERS", 10)
    look(site)
    look(site)
    assert asked[-2:] == [3, 0]


def test_only_so_many_attempts_are_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were asked for longest ago are forgotten, and read again."""
    monkeypatch.setattr(attempt_views, "MOST_ATTEMPTS", 2)
    for name in "123":
        GrowingRun(site, name).say(started("build"))
    for name in ("1", "2", "3", "1"):
        assert len(list_jobs(site, ListJobs(run=name)).items) == 1

    assert list(site.views._entries) == [("3", 1), ("1", 1)]
