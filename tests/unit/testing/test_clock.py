"""Time that passes only when a test says so."""

from __future__ import annotations

from windlass.testing.clock import ManualClock


def test_timers_go_off_in_the_order_of_their_times() -> None:
    """Not in the order in which they were set, and each at its own time."""
    clock, seen = ManualClock(), []
    for seconds in (3.0, 1.0, 2.0):
        clock.call_later(seconds, lambda seconds=seconds: seen.append((seconds, clock.now())))

    clock.advance(10)

    assert seen == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    assert clock.now() == 10


def test_a_timer_goes_off_once_and_not_before_its_time() -> None:
    """Time may pass in pieces."""
    clock, seen = ManualClock(), []
    clock.call_later(5, lambda: seen.append(clock.now()))

    clock.advance(4.5)
    assert seen == []
    clock.advance(0.5)
    clock.advance(10)

    assert seen == [5.0]


def test_a_timer_that_was_called_off_never_goes_off() -> None:
    """Calling off twice, or too late, is harmless."""
    clock, seen = ManualClock(), []
    stop = clock.call_later(1, lambda: seen.append(1))

    stop()
    stop()
    clock.advance(2)

    assert seen == []
    assert clock.pending() == 0


def test_timers_set_by_timers_go_off_within_the_same_time() -> None:
    """A chain of timers runs as far as the time reaches."""
    clock, seen = ManualClock(), []

    def again() -> None:
        seen.append(clock.now())
        clock.call_later(2, again)

    clock.call_later(2, again)
    clock.advance(7)

    assert seen == [2.0, 4.0, 6.0]
    assert clock.pending() == 1
