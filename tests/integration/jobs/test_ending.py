"""How a job is cancelled and how it times out. Time passes by hand; processes are real."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from windlass.model.status import Result
from windlass.protocol import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.jobs.conftest import Bench

WAIT = "while :; do sleep 0.01 || :; done"


def on_output(bench: Bench, *actions: tuple[str, Callable[[], object]]) -> None:
    """Do something, in another thread, when a step prints a word."""
    waiting = dict(actions)

    def see(event: events.RunEvent) -> None:
        if isinstance(event, events.Output):
            for word in [word for word in waiting if word in event.text]:
                threading.Thread(target=waiting.pop(word)).start()

    bench.on_event = see


def test_cancelled_step(bench: Bench) -> None:
    """SIGINT ends the step; the step and the job are cancelled; `always()` steps still run."""
    on_output(bench, ("ready", lambda: bench.cancellation.request("enough")))
    finished = bench.run(
        f"""
- run: trap 'echo int; exit 0' INT; echo ready; {WAIT}
- run: echo never
- run: echo cleaning ${{{{ job.status }}}}
  if: always()
"""
    )

    assert bench.output() == "ready\nint\ncleaning cancelled\n"
    assert bench.errors() == ["The operation was canceled."]
    assert bench.ends() == [("cancelled", "cancelled"), ("success", "success")]
    assert finished.result is Result.CANCELLED


def test_step_that_ignores_signals(bench: Bench) -> None:
    """After 7.5 s comes SIGTERM, 2.5 s later SIGKILL, which nobody ignores."""
    on_output(
        bench,
        ("ready", lambda: bench.cancellation.request("enough")),
        ("got int", lambda: bench.clock.advance(7.5)),
        ("got term", lambda: bench.clock.advance(2.5)),
    )
    finished = bench.run(
        f"""
- run: |
    trap 'echo got int' INT; trap 'echo got term' TERM
    echo ready; {WAIT}
"""
    )

    assert [line for line in bench.output().splitlines() if line != "Terminated"] == [
        "ready",
        "got int",
        "got term",
    ]
    assert finished.result is Result.CANCELLED
    assert bench.clock.now() == 10


def test_step_that_goes_on_when_cancelled(bench: Bench) -> None:
    """A running step whose condition still holds is not ended."""

    def request() -> None:
        bench.cancellation.request("enough")
        (bench.root / "job/cat/cat/go").touch()

    on_output(bench, ("ready", request))
    finished = bench.run(
        """
- run: echo ready; while ! test -e go; do sleep 0.01; done; echo done
  if: always()
- run: echo never
"""
    )

    assert bench.output() == "ready\ndone\n"
    assert bench.ends() == [("success", "success")]
    assert finished.result is Result.CANCELLED


def test_forced_end(bench: Bench) -> None:
    """A forced end kills what runs and starts nothing else, not even `always()`."""
    on_output(bench, ("ready", bench.cancellation.force))
    finished = bench.run(
        f"""
- run: trap '' INT TERM; echo ready; {WAIT}
  if: always()
- run: echo never
  if: always()
"""
    )

    assert bench.output() == "ready\n"
    assert finished.result is Result.CANCELLED
    assert bench.ends()[0] == ("cancelled", "cancelled")


@pytest.mark.parametrize("forced", [False, True])
def test_cancelled_before_it_starts(bench: Bench, *, forced: bool) -> None:
    """A job that is cancelled while it waits runs no step."""
    bench.cancellation.request("enough")
    if forced:
        bench.cancellation.force()
    finished = bench.run("- run: echo never")

    assert bench.output() == ""
    assert finished.result is Result.CANCELLED


def test_step_time_out(bench: Bench) -> None:
    """A step that takes too long fails, with the runner's words, and may be continued on."""
    on_output(bench, ("ready", lambda: bench.clock.advance(120)))
    finished = bench.run(
        f"""
- name: Slow
  run: echo ready; {WAIT}
  timeout-minutes: 2
  continue-on-error: true
- run: echo next
"""
    )

    assert bench.errors() == ["The action 'Slow' has timed out after 2 minutes."]
    assert bench.ends() == [("failure", "success"), ("success", "success")]
    assert finished.result is Result.SUCCESS


def test_bug_10_half_a_minute_is_no_limit(bench: Bench) -> None:
    """The runner truncates fractions: 0.5 is 0, which is no time-out; 1.9 is one minute."""
    on_output(
        bench,
        ("first", lambda: bench.clock.advance(59)),
        ("second", lambda: bench.clock.advance(60)),
    )
    bench.run(
        f"""
- run: echo first; sleep 0.1
  timeout-minutes: 0.5
- name: Slow
  run: echo second; {WAIT}
  timeout-minutes: 1.9
"""
    )

    assert bench.errors() == ["The action 'Slow' has timed out after 1 minutes."]
    assert bench.ends() == [("success", "success"), ("failure", "failure")]


def test_job_time_out(bench: Bench) -> None:
    """A job that takes too long is cancelled; what `always()` runs has five minutes."""
    bench.timeout_minutes = 1
    on_output(
        bench,
        ("ready", lambda: bench.clock.advance(60)),
        ("cleaning", lambda: bench.clock.advance(300)),
    )
    finished = bench.run(
        f"""
- run: echo ready; {WAIT}
- run: trap '' INT TERM; echo cleaning; {WAIT}
  if: always()
"""
    )

    assert bench.errors()[0] == (
        "The job running on runner windlass has exceeded the maximum execution time of 1 minutes."
    )
    assert bench.ends() == [("cancelled", "cancelled"), ("cancelled", "cancelled")]
    assert finished.result is Result.CANCELLED


def test_time_after_a_cancellation(bench: Bench) -> None:
    """`cancel-timeout-minutes` limits what `always()` runs after a cancellation."""
    bench.cancel_timeout_minutes = 1
    on_output(
        bench,
        ("ready", lambda: bench.cancellation.request("enough")),
        ("cleaning", lambda: bench.clock.advance(60)),
    )
    bench.run(
        f"""
- run: echo ready; {WAIT}
- run: trap '' INT TERM; echo cleaning; {WAIT}
  if: always()
"""
    )

    assert bench.ends() == [("cancelled", "cancelled"), ("cancelled", "cancelled")]


def test_no_timer_is_left(bench: Bench) -> None:
    """When a job has ended, nothing of it is still waiting for its time."""
    bench.run("- run: 'true'\n  timeout-minutes: 5")

    assert bench.clock.pending() == 0
