"""What holds for every run, whatever its graph, its results and the moment of its cancellation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.plan.machines import CONTEXTS, call, job, workflow

from windlass.model.status import Result
from windlass.plan.orders import (
    CancelJob,
    DropJob,
    FinishRun,
    Order,
    RejectJob,
    SkipJob,
    StartJob,
)
from windlass.plan.run import RunMachine
from windlass.plan.signals import CancelRequested, JobFinished, RunStarted, Signal

if TYPE_CHECKING:
    from windlass.lang.workflow.model import CallJob, Job, Workflow

EXAMPLES = 40
CONDITIONS = (None, None, None, "always()", "failure()", "cancelled()", "false", "fromJSON('{')")
STRATEGIES: tuple[dict[str, Any] | None, ...] = (
    None,
    None,
    {"matrix": {"n": [1, 2, 3]}},
    {"matrix": {"n": [1, 2, 3]}, "max-parallel": 1},
    {"matrix": {"n": [1, 2]}, "fail-fast": False},
    {"matrix": {"n": "${{ fromJSON('[]') }}"}},
)


@st.composite
def workflows(draw: st.DrawFn, depth: int = 1) -> Workflow:
    """Draw a workflow of up to eight jobs, each needing some of those before it."""
    jobs: list[Job | CallJob] = []
    for number in range(draw(st.integers(1, 8))):
        needs = (
            draw(st.lists(st.sampled_from([one.id for one in jobs]), max_size=3)) if jobs else []
        )
        common: dict[str, Any] = {"if_": draw(st.sampled_from(CONDITIONS))}
        if (strategy := draw(st.sampled_from(STRATEGIES))) is not None:
            common["strategy"] = strategy
        if depth and draw(st.integers(0, 4)) == 0:
            jobs.append(call(f"j{number}", draw(workflows(depth=0)), needs, **common))
            continue
        if draw(st.booleans()):
            common["continue_on_error"] = draw(st.sampled_from([True, "${{ 'odd' }}"]))
        jobs.append(job(f"j{number}", needs, **common))
    return workflow(*jobs)


@dataclass
class Trace:
    """One run played to its end: every signal with the orders it led to."""

    steps: list[tuple[Signal, list[Order]]] = field(default_factory=list)

    def orders(self) -> list[Order]:
        return [order for _, orders in self.steps for order in orders]


def play(built: Workflow, draw: st.DataObject) -> Trace:
    """Answer every order with results in a random order until nothing is left to answer."""
    machine = RunMachine(built, CONTEXTS)
    trace = Trace()
    running: list[str] = []
    cancel_after = draw.draw(st.integers(0, 12), "cancel after")

    def send(signal: Signal) -> None:
        orders = machine.receive(signal)
        trace.steps.append((signal, orders))
        running.extend(order.key for order in orders if isinstance(order, StartJob))

    send(RunStarted())
    while running:
        if len(trace.steps) == cancel_after:
            send(CancelRequested("stop"))
            continue
        key = running.pop(draw.draw(st.integers(0, len(running) - 1), "who ends"))
        result = draw.draw(st.sampled_from([Result.SUCCESS, Result.FAILURE, Result.CANCELLED]))
        send(JobFinished(key, result, {"x": key}))
    return trace


@settings(max_examples=EXAMPLES)
@given(built=workflows(), data=st.data())
def test_every_run_ends_exactly_once(built: Workflow, data: st.DataObject) -> None:
    """No graph, no order of results and no cancellation leaves a run waiting or ends it twice."""
    trace = play(built, data)

    finishes = [order for order in trace.orders() if isinstance(order, FinishRun)]
    assert len(finishes) == 1
    assert isinstance(trace.orders()[-1], FinishRun)


@settings(max_examples=EXAMPLES)
@given(built=workflows(), data=st.data())
def test_no_job_is_ordered_twice(built: Workflow, data: st.DataObject) -> None:
    """A key is started, skipped, dropped or rejected once; only what was started is cancelled."""
    trace = play(built, data)

    begun = [
        order.key
        for order in trace.orders()
        if isinstance(order, StartJob | SkipJob | DropJob | RejectJob)
    ]
    started = [order.key for order in trace.orders() if isinstance(order, StartJob)]
    cancelled = [order.key for order in trace.orders() if isinstance(order, CancelJob)]
    # A call that ran may be rejected afterwards for its outputs, but no call is started itself.
    assert len(begun) == len(set(begun))
    assert len(cancelled) == len(set(cancelled))
    assert set(cancelled) <= set(started)


@settings(max_examples=EXAMPLES)
@given(built=workflows(), data=st.data())
def test_no_job_starts_before_its_needs_have_ended(built: Workflow, data: st.DataObject) -> None:
    """Every need has ended, with all its legs and all jobs it called, when a job starts."""
    trace = play(built, data)

    needs = {one.id: [need.value for need in one.needs] for one in built.jobs}
    running: set[str] = set()
    ended: set[str] = set()
    for signal, orders in trace.steps:
        if isinstance(signal, JobFinished):
            running.discard(signal.key)
        for order in orders:
            match order:
                case StartJob(key=key):
                    top = _job_of(key)
                    assert not any(_job_of(other) in needs[top] for other in running)
                    assert top not in ended
                    running.add(key)
                case SkipJob(key=key) | RejectJob(key=key) if " " not in key:
                    ended.add(key)


@settings(max_examples=EXAMPLES)
@given(built=workflows(), data=st.data())
def test_a_run_is_green_only_if_nothing_went_wrong(built: Workflow, data: st.DataObject) -> None:
    """A rejection, a cancellation or an unforgiven failure never ends as a success."""
    trace = play(built, data)

    forgiving = {
        order.key
        for order in trace.orders()
        if isinstance(order, StartJob) and order.continue_on_error
    }
    failed = {
        signal.key
        for signal, _ in trace.steps
        if isinstance(signal, JobFinished) and signal.result is Result.FAILURE
    }
    rejected = any(isinstance(order, RejectJob) for order in trace.orders())
    disturbed = any(
        isinstance(signal, CancelRequested)
        or (isinstance(signal, JobFinished) and signal.result is Result.CANCELLED)
        for signal, _ in trace.steps
    )
    final = trace.orders()[-1]
    assert isinstance(final, FinishRun)
    if rejected or failed - forgiving:
        assert final.result is Result.FAILURE
    elif disturbed:
        assert final.result is Result.CANCELLED
    else:
        assert final.result is Result.SUCCESS


@settings(max_examples=EXAMPLES)
@given(built=workflows(), data=st.data())
def test_replaying_the_signals_gives_the_same_orders(built: Workflow, data: st.DataObject) -> None:
    """A fresh machine that is given the same signals orders the same."""
    trace = play(built, data)

    machine = RunMachine(built, CONTEXTS)
    assert [machine.receive(signal) for signal, _ in trace.steps] == [
        orders for _, orders in trace.steps
    ]


@settings(max_examples=EXAMPLES)
@given(built=workflows(), data=st.data())
def test_a_repeated_signal_changes_nothing(built: Workflow, data: st.DataObject) -> None:
    """Every signal may arrive twice: the second time it leads to no orders."""
    trace = play(built, data)

    machine = RunMachine(built, CONTEXTS)
    for signal, orders in trace.steps:
        assert machine.receive(signal) == orders
        assert machine.receive(signal) == []


def _job_of(key: str) -> str:
    """Return the id of the root job that a key belongs to."""
    return key.split(" ")[0]
