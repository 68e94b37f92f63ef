"""How jobs and processes are asked to end."""

from __future__ import annotations

import pytest

from windlass.jobs.cancellation import Cancellation, GentleEnd
from windlass.testing.clock import ManualClock


class Process:
    """Writes down when it got which signal."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.got: list[tuple[str, float]] = []

    def interrupt(self) -> None:
        self.got.append(("SIGINT", self._clock.now()))

    def terminate(self) -> None:
        self.got.append(("SIGTERM", self._clock.now()))

    def kill(self) -> None:
        self.got.append(("SIGKILL", self._clock.now()))

    def read(self) -> bytes:
        return b""

    def wait(self) -> int:
        return 0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def process(clock: ManualClock) -> Process:
    return Process(clock)


def test_three_signals(clock: ManualClock, process: Process) -> None:
    """SIGINT at once, SIGTERM after 7.5 s, SIGKILL 2.5 s later: ProcessInvoker.cs."""
    end = GentleEnd(process, clock)
    end.begin()
    end.begin()
    clock.advance(100)

    assert process.got == [("SIGINT", 0), ("SIGTERM", 7.5), ("SIGKILL", 10)]


@pytest.mark.parametrize(("after", "signals"), [(0, 1), (7, 1), (8, 2)])
def test_called_off(clock: ManualClock, process: Process, after: float, signals: int) -> None:
    """Nothing is sent to a process that has ended."""
    end = GentleEnd(process, clock)
    end.begin()
    clock.advance(after)
    end.call_off()
    end.kill()
    end.begin()
    clock.advance(100)

    assert len(process.got) == signals
    assert clock.pending() == 0


def test_request_counts_once() -> None:
    """A job hears of the first reason only, and of force once."""
    heard: list[str] = []
    cancellation = Cancellation()
    cancellation.listen(heard.append, lambda: heard.append("force"))
    for _ in range(2):
        cancellation.request("one")
        cancellation.request("two")
        cancellation.force()

    assert heard == ["one", "force"]


def test_request_before_anybody_listens() -> None:
    """What was asked before the job listens is told when it does."""
    heard: list[str] = []
    cancellation = Cancellation()
    cancellation.force()
    cancellation.request("one")
    cancellation.listen(heard.append, lambda: heard.append("force"))

    assert heard == ["one", "force"]
