"""Who waits for what was committed is woken, and what was told of runs is not kept."""

from __future__ import annotations

import threading
import tracemalloc

from windlass.engine.server.changes import (
    EFFECTS,
    INBOX,
    JOBS,
    LONELY_SECONDS,
    LOOK_SECONDS,
    Changes,
    name_attempt,
    name_log,
)


def test_who_waits_is_woken() -> None:
    """What has changed since a count was asked for is not waited for."""
    changes = Changes()
    seen = changes.count(INBOX)
    teller = threading.Thread(target=changes.tell, args=(INBOX,))
    teller.start()

    assert changes.wait(INBOX, seen, 60.0) == seen + 1
    teller.join()
    assert changes.wait(INBOX, seen, 0.0) == seen + 1


def test_a_wait_has_an_end() -> None:
    """Where nothing changes the count is as it was."""
    changes = Changes()

    assert changes.wait(INBOX, changes.count(INBOX), 0.01) == 0


def test_listeners_hear_of_every_topic_until_they_leave() -> None:
    """Topics of runs too, in the order in which they change."""
    changes, heard = Changes(), list[str]()
    leave = changes.listen(heard.append)
    for topic in (INBOX, name_attempt("7", 1), name_log("7", 1, 2)):
        changes.tell(topic)
    leave()
    changes.tell(INBOX)

    assert heard == [INBOX, "run/7/1", "run/7/1/log/2"]


def test_others_are_looked_after_more_often_while_they_are_there() -> None:
    """Who is in a long pause is woken when the first of them comes, and not by the next beat."""
    changes = Changes()
    assert changes.pause == LONELY_SECONDS
    changes.note_others(1)
    changes.note_others(1)
    assert changes.pause == LOOK_SECONDS
    assert [changes.count(it) for it in (JOBS, INBOX, EFFECTS)] == [1, 1, 1]

    changes.note_others(0)

    assert changes.pause == LONELY_SECONDS
    assert changes.count(JOBS) == 1


def test_runs_leave_nothing_behind() -> None:
    """A server that was kept for a year has told of hundreds of thousands of them."""
    changes = Changes()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(20_000):
            changes.tell(name_attempt(str(number), 1))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 100_000  # bytes; a dictionary of them takes two million
