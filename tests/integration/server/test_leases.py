"""What a server's processes watch over: lost runners, jobs that nobody takes, and each other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runner import StandIn, register
from tests.hosted_runs import REPOSITORY, define, open_site
from tests.hosted_site import ask
from tests.waiting import wait_until

from windlass.db.inbox import list_letters, post_letter
from windlass.db.jobs import list_queued
from windlass.db.runners import remove_runner
from windlass.db.runs import list_attempts
from windlass.db.servers import list_servers
from windlass.engine.journals.codec import encode_signal
from windlass.engine.server.changes import LONELY_SECONDS, LOOK_SECONDS
from windlass.engine.server.leases import LEASE_SECONDS, Presence, Silence, Watch
from windlass.errors import DatabaseError, PlatformError
from windlass.model.status import Result
from windlass.operations.hosted.attempts import cancel_run, start_run
from windlass.operations.hosted.runners import create_registration
from windlass.plan.signals import CancelRequested

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.db.jobs import JobRow
    from windlass.operations.hosted.site import Site

JOB = "on: push\njobs:\n  a: {runs-on: x, steps: [{run: echo}]}\n"
REPEATABLE = JOB.replace("runs-on: x,", "runs-on: x, env: {WINDLASS_REPEATABLE: 'true'},")


class Clock:
    """A clock that stands still."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def wall() -> Clock:
    return Clock(1_000_000.0)


@pytest.fixture
def steady() -> Clock:
    return Clock(5.0)


@pytest.fixture
def site(database_address: str, tmp_path: Path, wall: Clock) -> Iterator[Site]:
    with open_site(database_address, tmp_path, now=wall) as made:
        yield made


@pytest.fixture
def runner(site: Site) -> Iterator[StandIn]:
    with ask(site, token=None) as client:
        yield register(client, create_registration(site, patience=10).token)


@pytest.fixture
def watch(site: Site, wall: Clock, steady: Clock) -> Watch:
    return Watch(site.store, site.runs, site.changes, now=wall, clock=steady)


def pass_time(watch: Watch, steady: Clock, seconds: float) -> None:
    """Let time pass, in which the watch looks as it does."""
    for _ in range(int(seconds)):
        steady.at += 1
        watch.look()


def begin(site: Site, runner: StandIn, text: str = JOB) -> tuple[str, str]:
    run = start_run(site, REPOSITORY, define(text))
    return run, runner.take()[0]["job"]


def result(site: Site, run: str) -> Result | None:
    return list_attempts(site.store, run)[0].result


def test_a_runner_that_falls_silent(
    site: Site, runner: StandIn, watch: Watch, steady: Clock
) -> None:
    """After its patience, and no sooner, what it had has failed; it is told so if it comes back."""
    run, job = begin(site, runner)
    watch.look()
    pass_time(watch, steady, 10)
    assert result(site, run) is None
    pass_time(watch, steady, 1)
    assert result(site, run) is Result.FAILURE
    assert runner.poll(job).json()["gone"] == [job]
    assert runner.end(job).status_code == 410


def test_a_repeatable_job_of_a_lost_runner(
    site: Site, runner: StandIn, watch: Watch, steady: Clock
) -> None:
    """It waits again, in its old place and as another number."""
    run, job = begin(site, runner, REPEATABLE)
    start_run(site, REPOSITORY, define(JOB))
    watch.look()
    pass_time(watch, steady, 11)
    assert [(row.run == run, row.number) for row in list_queued(site.store, 9)] == [
        (True, 2),
        (False, 1),
    ]
    assert runner.end(job).status_code == 410


def test_a_job_that_was_to_end_when_its_runner_was_lost(
    site: Site, runner: StandIn, watch: Watch, steady: Clock
) -> None:
    """It is cancelled, even a repeatable one."""
    run, _ = begin(site, runner, REPEATABLE)
    cancel_run(site, run)
    watch.look()
    pass_time(watch, steady, 11)
    assert result(site, run) is Result.CANCELLED


def test_a_runner_that_polls_is_not_lost(
    site: Site, runner: StandIn, watch: Watch, wall: Clock, steady: Clock
) -> None:
    """Each sign of life counts, whatever the clock on the wall does."""
    run, job = begin(site, runner)
    for jump in (0, 5, -86_400, 10 * 86_400, 5):
        wall.at += jump
        pass_time(watch, steady, 8)
        wall.at += 2
        assert runner.poll(job, free=0).status_code == 200 if jump == 0 else True
        assert runner.write(job, "log", 0, b"").status_code == 200
    assert result(site, run) is None


def test_a_process_that_was_stopped_begins_anew(
    site: Site, runner: StandIn, watch: Watch, steady: Clock
) -> None:
    """It has heard of nobody while it stood still, and ends nothing for that."""
    run, _ = begin(site, runner)
    watch.look()
    steady.at += 60
    watch.look()
    assert result(site, run) is None
    pass_time(watch, steady, 11)
    assert result(site, run) is Result.FAILURE


def refuse(*_: object, **__: object) -> None:
    raise DatabaseError("database or disk is full")


def test_a_database_that_cannot_be_written(
    site: Site, runner: StandIn, watch: Watch, steady: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's sign of life was written down meanwhile, and nobody is lost for that."""
    run, job = begin(site, runner)
    watch.turn()
    with monkeypatch.context() as patched:
        patched.setattr(watch.presence, "beat", refuse)
        for _ in range(20):
            steady.at += 1
            watch.turn()
    for _ in range(10):
        watch.turn()
        steady.at += 1
    assert result(site, run) is None
    assert runner.write(job, "log", 0, b"").status_code == 200
    steady.at += 1
    watch.turn()
    assert result(site, run) is Result.FAILURE


def test_an_end_that_cannot_be_written(
    site: Site, runner: StandIn, watch: Watch, steady: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Perhaps that of the runner could not be either: it has its whole patience again."""
    run, job = begin(site, runner)
    watch.turn()
    with monkeypatch.context() as patched:
        patched.setattr(site.runs, "end_job", refuse)
        pass_time(watch, steady, 11)
    pass_time(watch, steady, 10)
    assert result(site, run) is None
    assert runner.end(job).status_code == 204


def test_a_job_that_cannot_be_ended_keeps_no_other_runner_from_being_lost(
    site: Site, runner: StandIn, watch: Watch, steady: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with its run is no trouble of the database, and comes again each time."""
    broken, _ = begin(site, runner)
    patient = register(runner.client, create_registration(site, patience=30).token, "patient")
    run, _ = begin(site, patient)
    tell = site.runs.end_job

    def end(row: JobRow, *values: Any, **named: Any) -> bool:
        if row.run == broken:
            raise PlatformError("the run cannot be taken up")
        return tell(row, *values, **named)

    monkeypatch.setattr(site.runs, "end_job", end)
    watch.look()
    pass_time(watch, steady, 31)
    assert result(site, broken) is None
    assert result(site, run) is Result.FAILURE


def test_a_server_that_died_while_it_removed_a_runner(
    site: Site, runner: StandIn, watch: Watch
) -> None:
    """The runner is gone and its job is not ended: whoever looks next ends it."""
    run, _ = begin(site, runner)
    with site.store.writing() as connection:
        remove_runner(connection, runner.id)
    watch.look()
    assert result(site, run) is Result.FAILURE


def test_a_runner_that_is_heard_of_at_the_last_moment(
    site: Site, runner: StandIn, watch: Watch, steady: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the end of its job: the job goes on."""
    run, job = begin(site, runner)
    watch.look()
    pass_time(watch, steady, 10)
    tell = site.runs.end_job

    def hear_first(*values: Any, **named: Any) -> bool:
        with site.store.writing() as connection:
            connection.execute("UPDATE runners SET seen = seen + 1")
        return tell(*values, **named)

    monkeypatch.setattr(site.runs, "end_job", hear_first)
    pass_time(watch, steady, 1)
    assert result(site, run) is None
    assert runner.end(job).status_code == 204


def test_a_job_that_nobody_takes(site: Site, watch: Watch, wall: Clock, steady: Clock) -> None:
    """It fails after a day, give or take a minute, and says which labels it waited for."""
    run = start_run(site, REPOSITORY, define(JOB))
    began = site.store.ask("SELECT queued FROM jobs")[0][0]
    steady.at += began - wall.at
    wall.at = began
    for seconds in (86_300, 200):
        assert result(site, run) is None
        wall.at += seconds
        steady.at += seconds
        watch.look()
    assert result(site, run) is Result.FAILURE
    lines = str(site.store.ask("SELECT line FROM announcements"))
    assert "with the labels x" in lines


@pytest.mark.parametrize("jump", [-10 * 86_400, 10 * 86_400])
def test_a_clock_that_is_set_fails_no_job(
    site: Site, watch: Watch, wall: Clock, steady: Clock, jump: float
) -> None:
    """What waits has waited as long as it has, whatever the date is now."""
    run = start_run(site, REPOSITORY, define(JOB))
    steady.at += site.store.ask("SELECT queued FROM jobs")[0][0] - wall.at
    wall.at = site.store.ask("SELECT queued FROM jobs")[0][0] + jump
    other = start_run(site, REPOSITORY, define(JOB))
    for _ in range(3):
        steady.at += 61
        wall.at += 61
        watch.look()
    assert [result(site, run), result(site, other)] == [None, None]


def test_letters_are_delivered_at_once_and_after_each_other(site: Site) -> None:
    """Those of another process are found too, and one that cannot be read keeps nobody waiting."""
    runs = [start_run(site, REPOSITORY, define(JOB)) for _ in range(2)]
    with site.store.writing() as connection:
        post_letter(connection, runs[0], 1, '{"v": 99, "signal": "x"}')
        post_letter(connection, runs[1], 1, encode_signal(CancelRequested("enough")))
    with pytest.raises(PlatformError, match="another version"):
        site.runs.deliver()
    assert [result(site, run) for run in runs] == [None, Result.CANCELLED]
    assert [letter.run for letter in list_letters(site.store, 9)] == [runs[0]]


def test_a_letter_that_nobody_foresaw_keeps_nobody_waiting(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again, but not at once: each time is told, and takes the whole run."""
    broken, run = (start_run(site, REPOSITORY, define(JOB)) for _ in range(2))
    deliver, tried = site.runs._deliver, []

    def stumble(ticket: str, to: str, attempt: int, text: str) -> bool:
        if to == broken:
            tried.append(ticket)
            raise KeyError("a job")
        return deliver(ticket, to, attempt, text)

    monkeypatch.setattr(site.runs, "_deliver", stumble)
    with site.store.writing() as connection:
        for to in (broken, run):
            post_letter(connection, to, 1, encode_signal(CancelRequested("enough")))
    with pytest.raises(KeyError):
        site.runs.deliver()
    assert result(site, run) is Result.CANCELLED
    assert site.runs.deliver() == 0
    assert len(tried) == 1
    later = time.monotonic() + 61
    monkeypatch.setattr("time.monotonic", lambda: later)
    with pytest.raises(KeyError):
        site.runs.deliver()


def test_a_watch_that_runs(site: Site) -> None:
    """It delivers what others post, is seen by other processes, and says when it ends."""
    run = start_run(site, REPOSITORY, define(JOB))
    watch = Watch(site.store, site.runs, site.changes)
    watch.start()
    with site.store.writing() as connection:
        post_letter(connection, run, 1, encode_signal(CancelRequested("enough")))
    assert wait_until(lambda: result(site, run) is Result.CANCELLED)
    assert wait_until(lambda: [row.id for row in list_servers(site.store)] == [watch.presence.id])
    watch.stop()
    assert list_servers(site.store) == []


def test_processes_know_of_each_other(site: Site, steady: Clock) -> None:
    """One that gives no sign of life is forgotten; one that comes back is there again."""
    one, other = (Presence(site.store, it, clock=steady) for it in ("one", "other"))
    other.beat()
    assert one.beat() == []
    dead: list[str] = []
    for _ in range(int(LEASE_SECONDS) + 2):
        steady.at += 1
        dead += one.beat()
    assert dead == [other.id]
    assert [row.id for row in list_servers(site.store)] == [one.id]
    other.beat()
    assert one.beat() == []
    assert len(list_servers(site.store)) == 2
    other.leave()
    one.leave()
    assert list_servers(site.store) == []


def test_others_are_known_from_beat_to_beat(site: Site, watch: Watch, steady: Clock) -> None:
    """What they commit is looked for often until the last of them leaves or is dead."""
    changes, other = site.changes, Presence(site.store, "other", clock=steady)
    watch.turn()
    assert changes.pause == LONELY_SECONDS
    other.beat()
    watch.turn()
    assert changes.pause == LOOK_SECONDS
    for _ in range(int(LEASE_SECONDS) + 1):
        assert changes.pause == LOOK_SECONDS
        steady.at += 1
        watch.turn()
    assert changes.pause == LONELY_SECONDS


def test_silence_is_measured_from_what_was_seen() -> None:
    """A sign of life is one that differs from the last; who was not there yet is new."""
    clock = Clock(0.0)
    silence = Silence(clock, 5)
    assert silence.look({"a": 7.0}) == {"a": 0}
    clock.at = 3
    assert silence.look({"a": 7.0, "b": 1.0}) == {"a": 3, "b": 0}
    clock.at = 4
    assert silence.look({"a": 6.0, "b": 1.0}) == {"a": 0, "b": 1}
    clock.at = 5
    assert silence.look({"b": 1.0}) == {"b": 2}
    clock.at = 6
    assert silence.look({"a": 6.0, "b": 1.0}) == {"a": 0, "b": 3}
