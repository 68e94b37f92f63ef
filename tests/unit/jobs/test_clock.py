"""The machine's own clock: one thread calls back for all timers."""

from __future__ import annotations

import functools
import itertools
import threading
import time
from typing import TYPE_CHECKING

import pytest

from windlass.jobs.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 30
HOUR_SECONDS = 3600.0


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def wait_for_all(clock: SystemClock) -> None:
    """Return when everything has been called that is due by now."""
    reached = threading.Event()
    clock.call_later(0, reached.set)
    assert reached.wait(PATIENCE_SECONDS)


def hold(clock: SystemClock) -> Callable[[], None]:
    """Keep the clock's thread busy, so that timers fall due together; return what lets it go."""
    begun, go = threading.Event(), threading.Event()

    def occupy() -> None:
        begun.set()
        assert go.wait(PATIENCE_SECONDS)

    clock.call_later(0, occupy)
    assert begun.wait(PATIENCE_SECONDS)
    return go.set


def test_it_is_the_monotonic_time(clock: SystemClock) -> None:
    """It never goes back, whoever sets the machine's date."""
    before = time.monotonic()
    assert before <= clock.now() <= time.monotonic()


def test_what_is_called_is_called_once_and_not_before_its_time(clock: SystemClock) -> None:
    called: list[float] = []
    due = clock.now() + 0.01
    clock.call_later(0.01, lambda: called.append(clock.now()))
    reached = threading.Event()
    clock.call_later(0.02, reached.set)
    assert reached.wait(PATIENCE_SECONDS)
    wait_for_all(clock)

    [moment] = called
    assert moment >= due


@pytest.mark.parametrize("moments", list(itertools.permutations((0.0, 0.001, 0.002))), ids=str)
def test_who_is_due_first_is_called_first(clock: SystemClock, moments: tuple[float, ...]) -> None:
    """In whichever order timers were set."""
    called: list[float] = []
    reached = threading.Event()
    release = hold(clock)
    clock.call_later(0.003, reached.set)
    for moment in moments:
        clock.call_later(moment, functools.partial(called.append, moment))
    release()
    assert reached.wait(PATIENCE_SECONDS)

    assert called == [0.0, 0.001, 0.002]


@pytest.mark.parametrize("seconds", [HOUR_SECONDS, 2 * threading.TIMEOUT_MAX, float("inf")])
def test_a_later_timer_does_not_keep_an_earlier_one_waiting(
    clock: SystemClock, seconds: float
) -> None:
    """Also not one that is further away than a thread can wait."""
    called: list[str] = []
    clock.call_later(seconds, lambda: called.append("late"))
    wait_for_all(clock)
    wait_for_all(clock)

    assert called == []


def test_what_is_called_off_is_never_called(clock: SystemClock) -> None:
    """Not even where it was due already, and the thread had no time yet."""
    called: list[str] = []
    release = hold(clock)
    stop = clock.call_later(0, lambda: called.append("stopped"))
    clock.call_later(0, lambda: called.append("other"))
    stop()
    stop()
    release()
    wait_for_all(clock)

    assert called == ["other"]


def test_calling_off_what_was_called_does_nothing(clock: SystemClock) -> None:
    """Other timers stay."""
    called: list[str] = []
    stop = clock.call_later(0, lambda: called.append("first"))
    wait_for_all(clock)
    release = hold(clock)
    clock.call_later(0, lambda: called.append("second"))
    stop()
    release()
    wait_for_all(clock)

    assert called == ["first", "second"]


def test_timers_may_be_set_and_called_off_by_what_is_called(clock: SystemClock) -> None:
    """Nothing is locked while it runs."""
    called: list[str] = []
    done = threading.Event()

    def first() -> None:
        stop()
        clock.call_later(0, done.set)
        called.append("first")

    release = hold(clock)
    clock.call_later(0, first)
    stop = clock.call_later(0, lambda: called.append("stopped"))
    release()
    assert done.wait(PATIENCE_SECONDS)

    assert called == ["first"]


def test_what_was_called_off_is_forgotten(clock: SystemClock) -> None:
    """Every step has a timer that is far away, and hardly any ever goes off."""
    clock.call_later(HOUR_SECONDS, lambda: None)
    for _ in range(1000):
        clock.call_later(HOUR_SECONDS, lambda: None)()

    assert len(clock._calls) < 5


def test_all_timers_have_one_thread_which_nobody_waits_for() -> None:
    """A program may end while timers are set."""
    before = set(threading.enumerate())
    clock = SystemClock()
    for _ in range(10):
        clock.call_later(HOUR_SECONDS, lambda: None)
    wait_for_all(clock)

    [thread] = (it for it in set(threading.enumerate()) - before if it.name == "timers")
    assert thread.daemon
