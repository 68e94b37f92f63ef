"""The loop of one job: signals go to its machine, what the machine orders is carried out."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from windlass.jobs.command_handlers import StepEffects
from windlass.jobs.running import RunningStep
from windlass.jobs.steps import StepEnd
from windlass.jobs.timers import Timers
from windlass.model.status import Result
from windlass.plan.steps import (
    Annotate,
    CancelStep,
    ConcludeStep,
    FinishJob,
    JobCancelRequested,
    KillSteps,
    LoadAction,
    OpenStep,
    RejectStep,
    SkipStep,
    StartStep,
    StartTimer,
    StepFinished,
    StopTimer,
    TimerFired,
    WriteLine,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.clock import Clock
    from windlass.jobs.reports import JobReporter
    from windlass.plan.job import JobMachine
    from windlass.plan.steps import ActionLoaded, JobOrder, JobSignal


class JobLoop:
    """Has the orders of a job's machine carried out until the job is over.

    Signals come from any thread. What ends steps and what concerns timers is done at once; all else
    is done in order by `run`, in the thread that called it. A step runs there too, or in a thread
    of its own where others run beside it.

    `perform` runs a step to its end, `load` reads an action; nothing that a step does makes them
    raise.
    """

    def __init__(
        self,
        machine: JobMachine,
        *,
        perform: Callable[[StartStep, RunningStep], StepEnd],
        load: Callable[[LoadAction], ActionLoaded],
        reporter: JobReporter,
        clock: Clock,
    ) -> None:
        self._machine = machine
        self._perform = perform
        self._load = load
        self._reporter = reporter
        self._clock = clock
        self._timers = Timers(clock, self._fire)
        # Guards the machine and the steps that run. Nobody is told anything while it is held:
        # whoever hears of an event may end another job, and wait for that one's lock.
        self._lock = threading.RLock()
        self._orders: queue.SimpleQueue[JobOrder | BaseException] = queue.SimpleQueue()
        self._running: dict[str, RunningStep] = {}
        self._ended_early: dict[str, CancelStep] = {}
        self._killed = False
        self._besides = False
        self._started: dict[str, float] = {}
        self._ends: dict[str, tuple[int | None, float]] = {}
        self._threads: list[threading.Thread] = []

    def tell(self, signal: JobSignal) -> None:
        """Give the machine a signal; its orders are carried out now or by `run`."""
        # What is said of a cancellation or of a time that is over is news: it waits for no step.
        is_news = isinstance(signal, TimerFired | JobCancelRequested)
        news: list[Annotate] = []
        with self._lock:
            for order in self._machine.receive(signal):
                # From the first background step on, this thread is never kept by a step.
                self._besides |= isinstance(order, StartStep | LoadAction) and order.background
                if is_news and isinstance(order, Annotate):
                    news.append(order)
                elif not self._obey_at_once(order):
                    self._orders.put(order)
        for said in news:
            self._reporter.annotate(said.level, said.message, step=said.key)

    def run(self) -> FinishJob:
        """Carry orders out until the job is over."""
        while True:
            order = self._orders.get()
            match order:
                case FinishJob():
                    return order
                case StartStep():
                    self._start(order)
                case LoadAction():
                    self.tell(self._load(order))
                case BaseException():
                    raise order
                case _:
                    self._report(order)

    def close(self) -> None:
        """Call the timers off and wait for steps beside others; their processes have ended."""
        self._timers.close()
        for thread in self._threads:
            thread.join()

    def _fire(self, timer: str) -> None:
        try:
            self.tell(TimerFired(timer))
        except BaseException as error:  # noqa: BLE001 (the job's own thread raises it again)
            self._orders.put(error)

    def _obey_at_once(self, order: JobOrder) -> bool:
        match order:
            case CancelStep():
                running = self._running.get(order.key)
                if running is None:
                    self._ended_early[order.key] = order
                else:
                    running.end(timed_out=order.timed_out)
            case KillSteps():
                # One that was ordered to start and has not started yet ends as it begins.
                self._killed = True
                for running in self._running.values():
                    running.kill()
            case StartTimer():
                self._timers.start(order.timer, order.seconds)
            case StopTimer():
                self._timers.stop(order.timer)
            case _:
                return False
        return True

    def _report(self, order: JobOrder) -> None:
        match order:
            case OpenStep():
                self._started[order.key] = self._clock.now()
                self._reporter.open_step(order)
            case WriteLine():
                self._reporter.write_line(order)
            case SkipStep():
                self._reporter.skip_step(order)
            case RejectStep():
                self._reporter.reject_step(order)
            case Annotate():
                self._reporter.annotate(order.level, order.message, step=order.key)
            case ConcludeStep():
                self._conclude(order)

    def _conclude(self, order: ConcludeStep) -> None:
        exit_code, seconds = self._ends.pop(order.key, (None, 0.0))
        started = self._started.pop(order.key, None)
        if started is not None:
            seconds = self._clock.now() - started
        self._reporter.conclude_step(order, exit_code, seconds)

    def _start(self, order: StartStep) -> None:
        self._reporter.start_step(order)
        with self._lock:
            beside_others = self._besides
            running = self._running[order.key] = RunningStep(self._clock)
            early = self._ended_early.pop(order.key, None)
            if early is not None:
                running.end(timed_out=early.timed_out)
            if self._killed:
                running.kill()
        if not beside_others:
            self._run_step(order, running)
            return
        thread = threading.Thread(
            target=self._run_beside, args=(order, running), name=order.key, daemon=True
        )
        thread.start()
        self._threads.append(thread)

    def _run_beside(self, order: StartStep, running: RunningStep) -> None:
        try:
            self._run_step(order, running)
        except BaseException as error:  # noqa: BLE001 (the job's own thread raises it again)
            self._orders.put(error)

    def _run_step(self, order: StartStep, running: RunningStep) -> None:
        started = self._clock.now()
        if running.killed:
            end = StepEnd(Result.CANCELLED, None, StepEffects())
        else:
            end = self._perform(order, running)
        with self._lock:
            del self._running[order.key]
            self._ends[order.key] = (end.exit_code, self._clock.now() - started)
        effects = end.effects
        self.tell(
            StepFinished(
                key=order.key,
                outcome=end.outcome,
                outputs=effects.outputs,
                variables=effects.variables,
                paths=tuple(effects.paths),
                state=effects.state,
            )
        )
