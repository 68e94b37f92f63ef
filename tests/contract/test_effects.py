"""The contract of `windlass.engine.effects.interface.Effects`, over both databases."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.waiting import wait_until

from windlass.db.effects import hold_effect, list_waiting, post_effect
from windlass.db.server_database import ServerDatabase
from windlass.engine.effects import tries
from windlass.engine.effects.dbos import DbosEffects, place_tables
from windlass.engine.effects.desk import Rules
from windlass.engine.effects.threads import ThreadedEffects
from windlass.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer

    from windlass.db.connections import Store
    from windlass.engine.effects.interface import Effect, Effects, Handler

    MakeEffects = Callable[..., Effects]


@pytest.fixture
def store(database_address: str) -> Iterator[ServerDatabase]:
    opened = ServerDatabase(database_address)
    yield opened
    opened.close()


@pytest.fixture(params=["threads", "dbos"])
def make_effects(
    request: pytest.FixtureRequest, store: Store, database_address: str, tmp_path: Path
) -> Iterator[MakeEffects]:
    """Makes effects that are started, and stops them at the end."""
    made: list[Effects] = []

    def make(
        handlers: dict[str, Handler],
        owner: str = "a",
        alone: bool = False,
        now: Callable[[], float] = time.time,
    ) -> Effects:
        rules = Rules(owner=owner, alone=alone, now=now)
        if request.param == "threads":
            effects: Effects = ThreadedEffects(store, handlers, rules)
        elif made:
            pytest.skip("DBOS is one a process: see tests/integration/server/test_effects.py")
        else:
            effects = DbosEffects(store, handlers, rules, place_tables(database_address, tmp_path))
        effects.start()
        made.append(effects)
        return effects

    yield make
    for effects in made:
        effects.stop(60)


class Noted:
    """A handler that notes what it was given, and fails as often as it is told to."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.seen: list[Effect] = []
        self.moments: list[float] = []
        self._failures = failures
        self._error = error or PlatformError("nobody answers")

    def __call__(self, effect: Effect) -> None:
        self.seen.append(effect)
        self.moments.append(time.time())
        if len(self.seen) <= self._failures:
            raise self._error

    @property
    def ids(self) -> list[str]:
        return sorted(effect.id for effect in self.seen)


def post(store: Store, key: str, kind: str = "note", due: float = 0.0, **payload: Any) -> bool:
    with store.writing() as connection:
        return post_effect(connection, key, kind, payload, due)


def is_done(store: Store) -> bool:
    return list_waiting(store, 1) == []


def read_messages(store: Store) -> list[str]:
    return [row[0] for row in store.ask("SELECT message FROM effects ORDER BY id")]


def test_an_effect_is_carried_out_soon_after_the_commit(
    store: Store, make_effects: MakeEffects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its handler gets what was posted, and nobody waits until somebody looks again."""
    monkeypatch.setattr("windlass.engine.effects.desk.LOOK_AGAIN_SECONDS", 3600.0)
    noted = Noted()
    effects = make_effects({"note": noted})
    post(store, "1", to="world", count=2)
    effects.wake()
    assert wait_until(lambda: noted.seen != [])

    assert (noted.seen[0].id, noted.seen[0].kind) == ("1", "note")
    assert noted.seen[0].payload == {"to": "world", "count": 2}
    assert wait_until(lambda: is_done(store))
    assert len(noted.seen) == 1


def test_what_was_posted_before_is_carried_out_at_the_start(
    store: Store, make_effects: MakeEffects
) -> None:
    """Nobody has to wake anything for that."""
    for number in range(30):
        post(store, f"{number:02}")
    noted = Noted()
    make_effects({"note": noted})
    assert wait_until(lambda: is_done(store))

    assert noted.ids == [f"{number:02}" for number in range(30)]


def test_what_another_process_has_posted_is_found(store: Store, make_effects: MakeEffects) -> None:
    """Without being woken, an effect is found when somebody looks again."""
    noted = Noted()
    make_effects({"note": noted})
    post(store, "1")

    assert wait_until(lambda: noted.seen != [])


def test_an_id_is_carried_out_once(store: Store, make_effects: MakeEffects) -> None:
    """Posted again, before it is done or afterwards, it is the same effect."""
    assert post(store, "1")
    assert not post(store, "1")
    noted = Noted()
    effects = make_effects({"note": noted, "other": noted})
    assert wait_until(lambda: is_done(store))
    assert not post(store, "1")
    post(store, "2", "other")
    effects.wake()
    assert wait_until(lambda: is_done(store))

    assert noted.ids == ["1", "2"]


def test_nothing_of_a_transaction_that_fails(store: Store, make_effects: MakeEffects) -> None:
    """An effect is a part of what causes it."""
    noted = Noted()
    effects = make_effects({"note": noted})

    def break_off() -> None:
        with store.writing() as connection:
            post_effect(connection, "1", "note", {}, 0)
            effects.wake()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    post(store, "2")
    effects.wake()
    assert wait_until(lambda: is_done(store))

    assert noted.ids == ["2"]


def test_a_slow_lane_holds_up_itself_alone(store: Store, make_effects: MakeEffects) -> None:
    """However many effects ask a remote that does not answer, those of others are carried out."""
    begun: list[str] = []
    answered = threading.Event()

    def ask_remote(effect: Effect) -> None:
        begun.append(effect.id)
        answered.wait(30)

    noted = Noted()
    with store.writing() as connection:
        for number in range(40):
            post_effect(connection, f"slow-{number:02}", "ask", {}, lane="slow")
        post_effect(connection, "other", "note", {}, lane="other")
    post(store, "none")
    make_effects({"ask": ask_remote, "note": noted})
    assert wait_until(lambda: noted.ids == ["none", "other"] and len(begun) >= 2)
    most = len(begun)
    answered.set()
    assert wait_until(lambda: is_done(store))

    assert most == 2
    assert sorted(begun) == [f"slow-{number:02}" for number in range(40)]


def test_an_effect_waits_for_its_time(store: Store, make_effects: MakeEffects) -> None:
    """It is not carried out before that, and others wait on."""
    noted = Noted()
    make_effects({"note": noted})
    due = time.time() + 0.8
    post(store, "later", due=due)
    post(store, "never", due=due + 3600)
    assert wait_until(lambda: noted.seen != [])

    assert noted.ids == ["later"]
    assert noted.moments[0] >= due


def test_a_clock_that_is_set_back_holds_nothing_up(
    store: Store, make_effects: MakeEffects, caplog: pytest.LogCaptureFixture
) -> None:
    """What is due at a time of the old clock waits as long as it would have, and no longer."""
    ahead = [3600.0]
    noted = Noted()
    make_effects({"note": noted}, now=lambda: time.time() + ahead[0])
    due = time.time() + 0.8
    post(store, "1", due=due + ahead[0])
    ahead[0] = 0.0
    assert wait_until(lambda: is_done(store))

    assert noted.moments[0] >= due
    assert "the clock was set back by 3600 s; effects that follow it: 1" in caplog.text


def test_a_failure_is_tried_again(store: Store, make_effects: MakeEffects) -> None:
    """The handler is told how often it has failed before."""
    noted = Noted(failures=1)
    make_effects({"note": noted})
    post(store, "1")
    assert wait_until(lambda: is_done(store))

    assert [effect.tries for effect in noted.seen] == [0, 1]
    assert noted.moments[1] - noted.moments[0] >= 0.4
    assert read_messages(store) == [""]


def test_what_fails_always_is_given_up(
    store: Store, make_effects: MakeEffects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row says why; others are carried out meanwhile."""
    monkeypatch.setattr(tries, "MOST_TRIES", 2)
    failing, noted = Noted(failures=9), Noted()
    make_effects({"fail": failing, "note": noted})
    post(store, "1", "fail")
    post(store, "2")
    assert wait_until(lambda: is_done(store))

    assert len(failing.seen) == 2
    assert noted.ids == ["2"]
    assert read_messages(store) == ["nobody answers", ""]


def test_effects_in_a_database_without_an_encoding(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Texts are UTF-8 there too, in DBOS's tables as in ours."""
    options = ("--encoding=SQL_ASCII", "--locale=C", "--template=template0")
    address = postgres.make_database(*options)
    store = ServerDatabase(address)
    noted = Noted()
    rules = Rules(owner="a")
    effects = DbosEffects(store, {"note": noted}, rules, place_tables(address, tmp_path))
    effects.start()
    post(store, "1", to="Größe ⛵")
    assert wait_until(lambda: is_done(store))
    effects.stop(60)
    store.close()

    assert [effect.payload for effect in noted.seen] == [{"to": "Größe ⛵"}]


def test_of_a_foreign_error_nothing_but_its_kind_is_kept(
    store: Store, make_effects: MakeEffects, caplog: pytest.LogCaptureFixture
) -> None:
    """Its text may quote a secret."""
    noted = Noted(failures=1, error=ValueError("https://me:hunter2@host"))
    make_effects({"note": noted})
    post(store, "1")
    assert wait_until(lambda: "ValueError" in read_messages(store))

    assert "hunter2" not in caplog.text


def test_a_kind_without_a_handler_is_left_to_others(
    store: Store, make_effects: MakeEffects
) -> None:
    """A newer server on the same database may know it."""
    noted = Noted()
    effects = make_effects({"note": noted})
    post(store, "1", "novelty")
    post(store, "2")
    effects.wake()
    assert wait_until(lambda: noted.ids == ["2"])
    assert wait_until(lambda: [row.id for row in list_waiting(store, 9)] == ["1"])

    make_effects({"novelty": noted}, owner="b")
    assert wait_until(lambda: is_done(store))


def test_several_servers_share_the_work(store: Store, make_effects: MakeEffects) -> None:
    """Each effect is carried out by one of them."""
    first, second = Noted(), Noted()
    all_of_them = [make_effects({"note": first}, "a"), make_effects({"note": second}, "b")]
    for number in range(60):
        post(store, f"{number:02}")
        all_of_them[number % 2].wake()
    assert wait_until(lambda: is_done(store))

    assert sorted(first.ids + second.ids) == [f"{number:02}" for number in range(60)]


def test_slow_effects_do_not_keep_others_back(store: Store, make_effects: MakeEffects) -> None:
    """Several are carried out at once."""
    release = threading.Event()
    noted = Noted()

    def block(effect: Effect) -> None:
        assert release.wait(30)

    effects = make_effects({"block": block, "note": noted})
    post(store, "1", "block")
    post(store, "2")
    effects.wake()
    assert wait_until(lambda: noted.ids == ["2"])
    release.set()
    assert wait_until(lambda: is_done(store))


def test_who_is_alone_does_not_wait_for_the_dead(store: Store, make_effects: MakeEffects) -> None:
    """What was held when the only server died is begun at once by the next."""
    post(store, "1")
    (row,) = list_waiting(store, 1)
    with store.writing() as connection:
        assert hold_effect(connection, row, "dead", time.time() + 3600)
    noted = Noted()
    make_effects({"note": noted}, "next", alone=True)
    assert wait_until(lambda: is_done(store))

    assert noted.ids == ["1"]


def test_stopping_waits_for_what_is_under_way(store: Store, make_effects: MakeEffects) -> None:
    """It is done then, and nothing more is begun."""
    begun, release = threading.Event(), threading.Event()

    def work(effect: Effect) -> None:
        begun.set()
        assert release.wait(30)

    effects = make_effects({"note": work})
    post(store, "1")
    assert begun.wait(60)
    threading.Timer(0.1, release.set).start()
    effects.stop(60)
    post(store, "2")

    assert [row.id for row in list_waiting(store, 9)] == ["2"]


def test_what_is_done_can_be_forgotten(store: Store, make_effects: MakeEffects) -> None:
    """What is still to be done stays, however old it is."""
    noted = Noted()
    effects = make_effects({"note": noted})
    post(store, "1")
    assert wait_until(lambda: is_done(store))
    post(store, "2", "unknown")

    assert effects.forget(time.time() - 60) == 0
    assert effects.forget(time.time() + 1) == 1
    assert [row.id for row in list_waiting(store, 9)] == ["2"]
