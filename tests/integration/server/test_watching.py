"""What a server does by itself: it looks at repositories, and fires schedules in time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests.hosted_runs import open_site
from tests.pushed_repository import CI, PushedRepository, tell_push
from tests.waiting import wait_until

from windlass.db.deliveries import find_delivery
from windlass.db.effects import list_waiting
from windlass.db.runs import list_latest
from windlass.db.schedules import (
    ScheduleRow,
    list_schedules,
    note_scheduled,
    replace_schedules,
)
from windlass.engine.effects.tries import MOST_TRIES
from windlass.errors import GitError, PlatformError, UsageError
from windlass.model.values import replace
from windlass.operations.hosted.attempts import find_attempt
from windlass.operations.hosted.deliveries import DELIVERY, accept_delivery, show_deliveries
from windlass.operations.hosted.repositories import (
    REFRESH,
    change_settings,
    fetch_repository,
    register_repository,
    require_repository,
)
from windlass.operations.hosted.watching import (
    EventWatch,
    list_handlers,
    read_catch_up,
    refresh_repository,
)
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from windlass.db.connections import Connection
    from windlass.db.repositories import RepositoryRow
    from windlass.operations.hosted.site import Site

NAME = "octo/boat"
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
HOUR = 3600.0

NIGHTLY = CI.replace(
    "on: push",
    "on:\n  schedule:\n    - cron: '0 2 * * *'\n"
    "    - {cron: '30 4 * * *', timezone: Europe/Berlin}",
)


class Times:
    """A wall clock and a clock for timers, which go together unless somebody sets the first one."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.offset = MIDNIGHT

    def now(self) -> float:
        return self.clock.now() + self.offset


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def pushed(tmp_path: Path) -> PushedRepository:
    return PushedRepository(tmp_path)


@pytest.fixture
def site(
    database_address: str, tmp_path: Path, times: Times, pushed: PushedRepository
) -> Iterator[Site]:
    with open_site(database_address, tmp_path / "data", now=times.now) as opened:
        with opened.store.writing() as connection:
            connection.execute("DELETE FROM repositories")
        yield opened


def watch(site: Site, times: Times, seconds: float = 1.0) -> EventWatch:
    started = EventWatch(site, clock=times.clock, submit=lambda go: go(), seconds=seconds)
    started.start()
    return started


def carry_out(site: Site) -> None:
    """Do what is waiting, as the effects do, and leave nothing."""
    handlers = list_handlers(site)
    while waiting := list_waiting(site.store, 99):
        for effect in waiting:
            handlers[effect.kind](effect)
            with site.store.writing() as connection:
                connection.execute("UPDATE effects SET done = 1.0 WHERE id = ?", (effect.id,))


def events(site: Site) -> list[str]:
    rows = show_deliveries(site, require_repository(site, NAME), 99)
    return [row.event for row in rows[::-1]]


def test_looking_in_turn(site: Site, times: Times, pushed: PushedRepository) -> None:
    """A repository is looked at every `poll_seconds`, and not before."""
    register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 10})
    watch(site, times)
    pushed.push()
    times.clock.advance(9.0)
    assert events(site) == []
    times.clock.advance(1.0)
    assert events(site) == ["push"]
    carry_out(site)
    assert len(list_latest(site.store)) == 1
    times.clock.advance(30.0)
    assert events(site) == ["push"]


def test_looking_never(site: Site, times: Times, pushed: PushedRepository) -> None:
    """With 0 seconds nobody looks."""
    register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 0})
    watch(site, times)
    pushed.push()
    times.clock.advance(60.0)
    assert events(site) == []
    change_settings(site, NAME, {"poll_seconds": 5})
    times.clock.advance(1.0)
    assert events(site) == ["push"]


def test_a_repository_that_is_gone(site: Site, times: Times, pushed: PushedRepository) -> None:
    """It is logged, and others are looked at."""
    register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 5})
    other = PushedRepository(pushed.work)
    register_repository(site, str(other.bare), "octo/other", {"poll_seconds": 5})
    watch(site, times)
    pushed.bare.rename(pushed.bare.with_name("aside"))
    other.push()
    times.clock.advance(5.0)
    assert len(show_deliveries(site, require_repository(site, "octo/other"), 9)) == 1
    pushed.bare.with_name("aside").rename(pushed.bare)
    pushed.push()
    times.clock.advance(5.0)
    assert events(site) == ["push"]


def test_two_servers_share_the_looks(site: Site, times: Times, pushed: PushedRepository) -> None:
    """A push is told once."""
    register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 5})
    watch(site, times)
    watch(site, times)
    pushed.push()
    times.clock.advance(20.0)
    assert events(site) == ["push"]


def test_a_server_that_is_stopped(site: Site, times: Times, pushed: PushedRepository) -> None:
    """It looks no more, and has no timers left."""
    register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 5})
    watch(site, times).stop()
    pushed.push()
    times.clock.advance(20.0)
    assert events(site) == []
    assert times.clock.pending() == 0


def test_a_look_that_waits_is_not_asked_for_again(
    site: Site, times: Times, pushed: PushedRepository
) -> None:
    """However long nobody has come to it: each second would add one."""
    register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 5})
    asked: list[Callable[[], None]] = []
    EventWatch(site, clock=times.clock, submit=asked.append, seconds=1.0).start()
    poll, tell_time = asked
    times.clock.advance(5.0)
    for _ in range(3):
        poll()
        tell_time()
        times.clock.advance(1.0)
    rounds, looks = asked.count(poll), len(asked) - asked.count(poll) - asked.count(tell_time)
    assert (rounds, looks) == (4, 1)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowRemotes]:
    made = SlowRemotes()
    monkeypatch.setattr("windlass.operations.hosted.watching.look", made.look)
    yield made
    made.is_over.set()


class SlowRemotes:
    """All repositories but those that are named `octo/fine` let whoever asks them wait."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.asked: list[str] = []
        self.refuse = False

    def look(self, _site: Site, repository: RepositoryRow) -> int:
        self.asked.append(repository.name)
        if repository.name != "octo/fine":
            if self.refuse:
                raise GitError("it cannot be reached")
            self.is_over.wait(60)
        return 0


@pytest.mark.usefixtures("nightly")
def test_remotes_that_let_one_wait_keep_no_schedule_waiting(
    site: Site, times: Times, pushed: PushedRepository, slow: SlowRemotes
) -> None:
    """However many they are."""
    for number in range(6):
        register_repository(site, str(pushed.bare), f"octo/slow{number}", {"poll_seconds": 5})
    times.clock.advance(5.0)
    watch = EventWatch(site, clock=times.clock)
    watch.start()
    assert wait_until(lambda: len(slow.asked) == 4)
    assert wait_until(lambda: times.clock.pending() == 2)
    times.clock.advance(2 * HOUR)
    assert wait_until(lambda: events(site) == ["schedule"])
    watch.stop()


def test_remotes_that_cannot_be_reached_keep_no_other_waiting(
    site: Site, times: Times, pushed: PushedRepository, slow: SlowRemotes
) -> None:
    """They are looked at by threads of their own from then on."""
    for name in ("fine", *(f"slow{number}" for number in range(6))):
        register_repository(site, str(pushed.bare), f"octo/{name}", {"poll_seconds": 5})
    slow.refuse = True
    times.clock.advance(5.0)
    watch = EventWatch(site, clock=times.clock)
    watch.start()
    assert wait_until(lambda: len(slow.asked) == 7)
    slow.refuse = False
    for count in (2, 3, 4):
        assert wait_until(lambda: times.clock.pending() == 2)
        times.clock.advance(5.0)
        assert wait_until(lambda count=count: slow.asked.count("octo/fine") == count)  # type: ignore[misc]
    watch.stop()


@pytest.fixture
def nightly(site: Site, pushed: PushedRepository) -> None:
    """The repository has a workflow with two times, of which the server knows."""
    pushed.write(".github/workflows/nightly.yml", NIGHTLY)
    pushed.push()
    register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 0})
    carry_out(site)


def count_refreshes(site: Site) -> int:
    ((count,),) = site.store.ask("SELECT count(*) FROM effects WHERE kind = ?", (REFRESH,))
    return int(count)


def due(site: Site) -> list[float]:
    return sorted((row.due - MIDNIGHT) / HOUR for row in list_schedules(site.store))


@pytest.mark.requirement("A06")
@pytest.mark.usefixtures("nightly")
def test_a_schedule(site: Site, times: Times, pushed: PushedRepository) -> None:
    """Each of its times starts the one workflow, at the head of the default branch, once."""
    watch(site, times, seconds=300.0)
    assert due(site) == [2.0, 3.5]
    times.clock.advance(2 * HOUR)
    times.clock.advance(1.5 * HOUR)
    assert events(site) == ["schedule", "schedule"]
    assert due(site) == [26.0, 27.5]
    carry_out(site)
    runs = list_latest(site.store)
    assert [(row.run.path, row.run.sha) for row in runs] == [
        (".github/workflows/nightly.yml", pushed.find("main"))
    ] * 2
    crons = {find_attempt(site.store, it.run.id, 1).event.payload["schedule"] for it in runs}
    assert crons == {"0 2 * * *", "30 4 * * *"}


@pytest.mark.usefixtures("nightly")
def test_schedules_follow_the_default_branch(
    site: Site, times: Times, pushed: PushedRepository
) -> None:
    """A push there changes them, one to another branch does not; one that stays keeps its time."""
    change_settings(site, NAME, {"poll_seconds": 5})
    watch(site, times)
    pushed.write(".github/workflows/nightly.yml", NIGHTLY.replace("0 2 *", "0 3 *"))
    pushed.push(branch="feature")
    times.clock.advance(5.0)
    carry_out(site)
    assert due(site) == [2.0, 3.5]
    pushed.push()
    times.clock.advance(5.0)
    carry_out(site)
    assert due(site) == [3.0, 3.5]
    pushed.git("rm", "-q", "-r", ".github")
    pushed.push()
    times.clock.advance(5.0)
    carry_out(site)
    assert due(site) == []


@pytest.mark.usefixtures("nightly")
def test_schedules_are_read_when_they_may_have_changed(
    site: Site, times: Times, pushed: PushedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push that leaves the workflow files alone costs no look at them, nor another fetch."""
    change_settings(site, NAME, {"poll_seconds": 5})
    watch(site, times)

    def push(path: str, text: str) -> int:
        pushed.write(path, text)
        pushed.push()
        times.clock.advance(5.0)
        carry_out(site)
        return count_refreshes(site)

    before = count_refreshes(site)
    assert push("file", "1") == before
    assert push(".github/workflows/nightly.yml", NIGHTLY.replace("0 2 *", "0 3 *")) == before + 1
    assert push("file", "2") == before + 1
    monkeypatch.setattr("windlass.db.schedules.__version__", "another")
    assert push("file", "3") == before + 2, "another version may read the same files otherwise"
    with site.store.writing() as connection:
        connection.execute("UPDATE repositories SET scheduled = NULL")
    assert push("file", "4") == before + 3


def test_a_push_while_schedules_are_read(
    site: Site, pushed: PushedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read again: whoever processed that push saw what had been noted before."""
    pushed.write(".github/workflows/nightly.yml", NIGHTLY)
    row = register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 0})
    pushed.push()
    noted: list[str] = []

    def note(connection: Connection, repository: str, files: str) -> None:
        note_scheduled(connection, repository, files)
        if not noted:
            pushed.write(".github/workflows/nightly.yml", NIGHTLY.replace("0 2 *", "0 3 *"))
            pushed.push()
            fetch_repository(site, row)
        noted.append(files)

    monkeypatch.setattr("windlass.operations.hosted.schedules.note_scheduled", note)
    refresh_repository(site, row.id)
    assert len(set(noted)) == 2
    assert due(site) == [3.0, 3.5]


@pytest.mark.usefixtures("nightly")
@pytest.mark.parametrize(
    ("down", "expected"), [(2.9 * HOUR, 1), (3.1 * HOUR, 0), (48.5 * HOUR, 0), (51 * HOUR, 1)]
)
def test_a_server_that_was_down(site: Site, times: Times, down: float, expected: int) -> None:
    """The last time is made up for if it was missed by less than an hour."""
    times.offset += down
    watch(site, times)
    assert len(events(site)) == expected
    assert all(it > down / HOUR for it in due(site))


@pytest.mark.usefixtures("nightly")
def test_a_clock_that_was_wrong(site: Site, times: Times) -> None:
    """Years ahead and back again: no time is told twice, and none is waited for too long."""
    watch(site, times, seconds=300.0)
    times.offset += 365 * 24 * HOUR + 2 * HOUR
    times.clock.advance(300.0)
    assert events(site) == ["schedule"]
    times.offset = MIDNIGHT
    times.clock.advance(300.0)
    assert due(site) == [2.0, 3.5]
    times.clock.advance(2 * HOUR)
    assert events(site) == ["schedule", "schedule"]
    times.offset -= HOUR
    times.clock.advance(1.5 * HOUR)
    assert events(site) == ["schedule", "schedule"]
    assert due(site) == [3.5, 26.0]


@pytest.mark.usefixtures("nightly")
def test_two_servers_share_the_time(site: Site, times: Times) -> None:
    """A time is told once."""
    watch(site, times, seconds=300.0)
    watch(site, times, seconds=300.0)
    times.clock.advance(2 * HOUR)
    assert events(site) == ["schedule"]


def test_lines_that_cannot_be_told(site: Site, pushed: PushedRepository) -> None:
    """One of an unknown zone, or of a day that never comes, is left out; the others count."""
    pushed.write(
        ".github/workflows/nightly.yml",
        NIGHTLY.replace("Europe/Berlin", "Europe/Nowhere").replace(
            "  schedule:\n", "  schedule:\n    - cron: '0 0 30 2 *'\n"
        ),
    )
    pushed.push()
    register_repository(site, str(pushed.bare), NAME)
    carry_out(site)
    assert [row.cron for row in list_schedules(site.store)] == ["0 2 * * *"]


def test_a_repository_that_is_down_for_hours(
    site: Site, times: Times, pushed: PushedRepository
) -> None:
    """A delivery is not lost when its effect is given up; after a day it is, and says so."""
    row = register_repository(site, str(pushed.bare), NAME)
    carry_out(site)
    receipt = accept_delivery(site, row, "1", "push", tell_push(*pushed.push()))
    aside = pushed.bare.rename(pushed.bare.with_name("aside"))
    handle = list_handlers(site)[DELIVERY]
    (first,) = list_waiting(site.store, 9)
    with pytest.raises(PlatformError):
        handle(first)
    for hours in (1, 20, 2):
        handle(replace(first, tries=MOST_TRIES - 1))
        waiting = list_waiting(site.store, 9)
        assert [it.due > times.now() for it in waiting[1:]][-1:] == [True]
        times.clock.advance(hours * HOUR)
    delivery = find_delivery(site.store, receipt.id)
    assert delivery is not None
    assert delivery.state == "received"

    aside.rename(pushed.bare)
    handle(list_waiting(site.store, 9)[-1])
    assert len(list_latest(site.store)) == 1


def test_a_repository_that_is_down_for_days(
    site: Site, times: Times, pushed: PushedRepository
) -> None:
    """Its delivery says that it was given up."""
    row = register_repository(site, str(pushed.bare), NAME)
    carry_out(site)
    receipt = accept_delivery(site, row, "1", "push", tell_push(*pushed.push()))
    pushed.bare.rename(pushed.bare.with_name("aside"))
    (first,) = list_waiting(site.store, 9)
    times.clock.advance(25 * HOUR)
    list_handlers(site)[DELIVERY](replace(first, tries=MOST_TRIES - 1))
    delivery = find_delivery(site.store, receipt.id)
    assert delivery is not None
    assert (delivery.state, delivery.message.partition(":")[0]) == ("refused", "given up")
    assert len(list_waiting(site.store, 9)) == 1


def test_a_fault_over_a_delivery(
    site: Site, pushed: PushedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the last try it is settled: what is not is never forgotten."""
    row = register_repository(site, str(pushed.bare), NAME)
    carry_out(site)
    receipt = accept_delivery(site, row, "1", "push", tell_push(*pushed.push()))

    def fail(*_: object) -> None:
        raise KeyError("hunter2")

    monkeypatch.setattr("windlass.operations.hosted.deliveries.plan_occasion", fail)
    (effect,) = list_waiting(site.store, 9)
    states = []
    for tries in (0, MOST_TRIES - 1):
        with pytest.raises(KeyError):
            list_handlers(site)[DELIVERY](replace(effect, tries=tries))
        delivery = find_delivery(site.store, receipt.id)
        assert delivery is not None
        states.append((delivery.state, delivery.message))
    said = "given up: Windlass met a fault of its own: KeyError"
    assert states == [("received", ""), ("refused", said)]


def test_a_delivery_that_somebody_else_has_processed_meanwhile(
    site: Site, pushed: PushedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stood still over it, and then failed, leaves it as it is."""
    row = register_repository(site, str(pushed.bare), NAME)
    carry_out(site)
    receipt = accept_delivery(site, row, "1", "push", tell_push(*pushed.push()))
    (effect,) = list_waiting(site.store, 9)
    handle = list_handlers(site)[DELIVERY]

    def stand_still(*_: object) -> None:
        monkeypatch.undo()
        handle(effect)
        raise GitError("it took too long")

    monkeypatch.setattr("windlass.operations.hosted.deliveries.fetch_repository", stand_still)
    with pytest.raises(GitError):
        handle(effect)
    delivery = find_delivery(site.store, receipt.id)
    assert delivery is not None
    assert (delivery.state, delivery.message) == ("started", "")


def test_a_line_that_was_one_once(site: Site, times: Times, pushed: PushedRepository) -> None:
    """An earlier version took it: it is put off, and keeps no other from its time."""
    register_repository(site, str(pushed.bare), NAME, {"poll_seconds": 0})
    row = require_repository(site, NAME)
    lines = [
        ScheduleRow(repository=row.id, path="a.yml", cron=cron, timezone="UTC", due=MIDNIGHT + due)
        for due, cron in ((HOUR, "0 99 * * *"), (2 * HOUR, "0 2 * * *"))
    ]
    with site.store.writing() as connection:
        replace_schedules(connection, row.id, lines)
    watch(site, times, seconds=300.0)
    times.clock.advance(2 * HOUR)
    assert events(site) == ["schedule"]


@pytest.mark.parametrize(("text", "expected"), [(None, 3600.0), ("", 3600.0), ("0", 0.0)])
def test_how_late_a_time_may_be(text: str | None, expected: float) -> None:
    """Whoever runs the server says so, by a variable."""
    variables = {} if text is None else {"WINDLASS_SCHEDULE_CATCH_UP": text}
    assert read_catch_up(variables) == expected


@pytest.mark.parametrize("text", ["-1", "an hour", "1.5", "\u0663"])
def test_what_is_no_number_of_seconds(text: str) -> None:
    """It is refused when the server starts."""
    with pytest.raises(UsageError, match="WINDLASS_SCHEDULE_CATCH_UP"):
        read_catch_up({"WINDLASS_SCHEDULE_CATCH_UP": text})
