"""The loop of a job, with a machine that says what the test wants."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from windlass.jobs.command_handlers import StepEffects
from windlass.jobs.loop import JobLoop
from windlass.jobs.steps import StepEnd
from windlass.lang.positions import Position, Span
from windlass.lang.tokens import StringToken
from windlass.lang.workflow.model import RunStep
from windlass.model.status import Result
from windlass.plan.steps import (
    ActionLoaded,
    Annotate,
    CancelStep,
    ConcludeStep,
    FinishJob,
    JobCancelRequested,
    JobOpened,
    KillSteps,
    LoadAction,
    OpenStep,
    StartStep,
    StartTimer,
    StepFinished,
    StopTimer,
    TimerFired,
)
from windlass.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.running import RunningStep
    from windlass.plan.steps import JobOrder, JobSignal

SPAN = Span("w.yml", Position(1, 1), Position(1, 1))
STEP = RunStep(id="s", id_given=True, span=SPAN, run=StringToken("true", SPAN))
DONE = FinishJob(Result.SUCCESS)
PATIENCE = 60.0


def start(key: str, *, background: bool = False) -> StartStep:
    return StartStep(key=key, name=key, step=STEP, script="true", background=background)


def conclude(key: str) -> ConcludeStep:
    return ConcludeStep(key, Result.SUCCESS, Result.SUCCESS)


class Machine:
    """Answers signals from a table: by `open`, `end KEY`, `timer NAME`, `cancel`, `load KEY`."""

    def __init__(self, answers: dict[str, list[JobOrder]]) -> None:
        self.answers = answers
        self.heard: list[str] = []

    def receive(self, signal: JobSignal) -> list[JobOrder]:
        match signal:
            case JobOpened():
                name = "open"
            case StepFinished():
                name = f"end {signal.key}"
            case TimerFired():
                name = f"timer {signal.timer}"
            case ActionLoaded():
                name = f"load {signal.key}"
            case JobCancelRequested():
                name = "cancel"
        self.heard.append(name)
        return self.answers.get(name, [])


class Reporter:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def start_step(self, order: StartStep) -> None:
        self.told.append(f"start {order.key}")

    def open_step(self, order: OpenStep) -> None:
        self.told.append(f"open {order.key}")

    def conclude_step(self, order: ConcludeStep, exit_code: int | None, seconds: float) -> None:
        self.told.append(f"end {order.key} {exit_code} {seconds:g}")

    def annotate(self, level: str, message: str, *, step: str) -> None:
        self.told.append(f"{level} {step}: {message}")


class World:
    """A loop and what it needs."""

    def __init__(
        self,
        answers: dict[str, list[JobOrder]],
        perform: Callable[[StartStep, RunningStep], None] = lambda *_: None,
    ) -> None:
        self.machine, self.reporter, self.clock = Machine(answers), Reporter(), ManualClock()
        self._perform = perform
        machine: Any = self.machine
        reporter: Any = self.reporter
        self.loop = JobLoop(
            machine,
            perform=self._end,
            load=lambda order: ActionLoaded(order.key, None, "no"),
            reporter=reporter,
            clock=self.clock,
        )

    def _end(self, order: StartStep, running: RunningStep) -> StepEnd:
        self._perform(order, running)
        return StepEnd(Result.SUCCESS, 0, StepEffects())

    def run(self) -> FinishJob:
        self.loop.tell(JobOpened({}))
        try:
            return self.loop.run()
        finally:
            self.loop.close()


def test_orders_are_carried_out_in_turn() -> None:
    """Each step ends before what follows it; a step without a process lasts until it is over."""
    world = World(
        {
            "open": [OpenStep(key="c", name="c", step=STEP), LoadAction("x", "./x")],
            "load x": [start("a")],
            "end a": [conclude("a"), conclude("c"), DONE],
        },
        lambda *_: world.clock.advance(3),
    )

    assert world.run() is DONE
    assert world.reporter.told == ["open c", "start a", "end a 0 3", "end c None 3"]
    assert world.machine.heard == ["open", "load x", "end a"]


def test_steps_beside_each_other() -> None:
    """A background step lets the next one begin, and one that waits for it is not in its way."""
    met = threading.Barrier(2)

    def perform(*_: object) -> None:
        met.wait(PATIENCE)

    world = World(
        {
            # An action that is read first is no reason for the next step to have no company.
            "open": [LoadAction("a", "./a", background=True), start("b")],
            "load a": [start("a", background=True)],
        },
        perform,
    )
    ended: list[str] = []
    receive = world.machine.receive

    def count(signal: JobSignal) -> list[JobOrder]:
        orders = receive(signal)
        if isinstance(signal, StepFinished):
            ended.append(signal.key)
        return [DONE] if len(ended) == 2 else orders

    world.machine.receive = count  # type: ignore[method-assign]

    assert world.run() is DONE
    assert sorted(ended) == ["a", "b"]


def test_what_breaks_beside_others_breaks_the_job() -> None:
    """An error in the thread of a background step is that of the job."""

    def perform(*_: object) -> None:
        raise RuntimeError("broken")

    world = World({"open": [start("a", background=True)]}, perform)

    with pytest.raises(RuntimeError, match=r"^broken$"):
        world.run()


def test_timers() -> None:
    """A timer fires once with its name, unless it was stopped; none is left at the end."""

    def perform(*_: object) -> None:
        world.clock.advance(10)

    world = World(
        {
            "open": [
                StartTimer("one", 5),
                StartTimer("two", 6),
                StartTimer("late", 60),
                StopTimer("two"),
                StopTimer("never set"),
                start("a"),
            ],
            "timer one": [Annotate("a", "error", "time")],
            "end a": [DONE],
        },
        perform,
    )
    world.run()

    assert world.machine.heard == ["open", "timer one", "end a"]
    # What is said of a time that is over is told while the step still runs.
    assert world.reporter.told == ["start a", "error a: time"]
    assert world.clock.pending() == 0


@pytest.mark.parametrize("timed_out", [True, False])
def test_step_is_ended(*, timed_out: bool) -> None:
    """An order to end a step reaches it while it runs, or before it has started."""
    seen: list[tuple[str, bool, bool]] = []

    def perform(order: StartStep, running: RunningStep) -> None:
        if order.key == "a":
            world.loop.tell(TimerFired("x"))
        seen.append((order.key, running.timed_out, running.cancelled))

    world = World(
        {
            "open": [start("a")],
            "timer x": [CancelStep("a", timed_out=timed_out), CancelStep("b")],
            "end a": [start("b")],
            "end b": [DONE],
        },
        perform,
    )
    world.run()

    assert seen == [("a", timed_out, not timed_out), ("b", False, True)]


def test_killed_steps() -> None:
    """When all steps are to be killed, none is begun any more, and each counts as ended."""
    performed: list[str] = []

    def perform(order: StartStep, _: RunningStep) -> None:
        performed.append(order.key)
        world.loop.tell(JobCancelRequested("now"))

    world = World(
        {
            "open": [start("a")],
            "cancel": [KillSteps()],
            "end a": [start("b")],
            "end b": [DONE],
        },
        perform,
    )
    world.run()

    assert performed == ["a"]
    assert world.machine.heard == ["open", "cancel", "end a", "end b"]
