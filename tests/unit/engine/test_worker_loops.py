"""What a server does in threads of its own goes on, whatever happens in one of its rounds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from windlass.engine.effects.desk import EffectDesk, Rules
from windlass.engine.server.changes import Changes
from windlass.engine.server.leases import Watch
from windlass.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import pytest

    from windlass.db.connections import Connection
    from windlass.engine.server.runs import ServerRuns

SECONDS = 60.0


class Absent:
    """A database that is away; before, Windlass itself was wrong about it so many times."""

    def __init__(self, faults: int = 0) -> None:
        self._faults = faults
        self.asked_again = threading.Event()

    def ask(self, _question: str, _values: Sequence[Any] = ()) -> Sequence[Any]:
        if self._faults:
            self._faults -= 1
            raise KeyError("a column")
        self.asked_again.set()
        raise DatabaseError("the database is away")

    def writing(self) -> AbstractContextManager[Connection]:
        raise DatabaseError("the database is away")


class Confused:
    """Runs of which one cannot be told its letter for a reason that nobody foresaw."""

    def __init__(self) -> None:
        self.asked_again = threading.Event()
        self._asked = False

    def deliver(self) -> int:
        if not self._asked:
            self._asked = True
            raise KeyError("a job")
        self.asked_again.set()
        return 0


def test_letters_are_delivered_after_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    """The fault is in the log, and the next round comes."""
    runs = Confused()
    watch = Watch(Absent(), cast("ServerRuns", runs), Changes())
    watch.start()
    try:
        assert runs.asked_again.wait(SECONDS)
    finally:
        watch.stop()

    (told,) = [it for it in caplog.records if it.exc_info]
    assert told.getMessage() == "letters cannot be delivered"


def test_effects_are_handed_out_after_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    """The fault is in the log, and the next round comes."""
    store = Absent(faults=1)
    desk = EffectDesk(store, ["fetch"], lambda _: None, Rules(owner="test"))
    desk.start()
    try:
        assert store.asked_again.wait(SECONDS)
    finally:
        desk.stop(SECONDS)

    (told,) = [it for it in caplog.records if it.exc_info]
    assert told.getMessage() == "effects cannot be looked after"
