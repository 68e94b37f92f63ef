"""What holds for every job, in whatever order its steps end."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.plan.job_play import (
    CANCELLED,
    FAILURE,
    NODE_ALL,
    NODE_POST,
    SUCCESS,
    JobPlay,
    composite,
)

from windlass.plan.steps import (
    ActionLoaded,
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
)

ACTIONS = {
    "./js": NODE_POST,
    "o/js@v1": NODE_ALL,
    "./flat": composite(
        "- {id: a, run: x, shell: sh}\n- {id: b, run: x, shell: sh, if: failure()}\n"
        "- {id: c, uses: ./js}"
    ),
    "./deep": composite("- {id: a, uses: ./flat}\n- {id: b, uses: o/js@v1, if: always()}"),
    "o/flat@v1": composite("- {id: a, uses: o/js@v1, continue-on-error: true}"),
}
KINDS = ("run: x", *(f"uses: {uses}" for uses in (*ACTIONS, "./missing")))
CONDITIONS = ("", "", "", ", if: always()", ", if: failure()", ", if: \"fromJSON('')\"")
EXTRAS = ("", "", ", continue-on-error: true", ", timeout-minutes: 1", ", background: true")


@st.composite
def jobs(draw: st.DrawFn) -> str:
    """Draw the steps of a job, with waits and cancellations of background steps."""
    lines, background = [], []
    for number in range(draw(st.integers(1, 7))):
        extra = draw(st.sampled_from(EXTRAS))
        kind, condition = draw(st.sampled_from(KINDS)), draw(st.sampled_from(CONDITIONS))
        lines.append(f"- {{id: s{number}, {kind}{condition}{extra}}}")
        if "background" in extra:
            background.append(f"s{number}")
        if background and draw(st.integers(0, 3)) == 0:
            verb = draw(st.sampled_from(["wait", "cancel", "wait-all"]))
            target = "" if verb == "wait-all" else draw(st.sampled_from(background))
            lines.append(f"- {{id: c{number}, {verb}: {target}}}")
    return "\n".join(lines)


def due(play: JobPlay) -> list[Any]:
    """Return the signals that may come next: ends, answers, timers, a request to end."""
    answered = {signal.key for signal in play.signals if isinstance(signal, ActionLoaded)}
    loads: list[Any] = [
        order
        for order in play.orders
        if isinstance(order, LoadAction) and order.key not in answered
    ]
    return [*play.running(), *loads]


def timers(play: JobPlay) -> list[str]:
    stopped = {order.timer for order in play.orders if isinstance(order, StopTimer)}
    started = [order.timer for order in play.orders if isinstance(order, StartTimer)]
    return [timer for timer in started if timer not in stopped]


def play_to_the_end(play: JobPlay, data: st.DataObject) -> None:
    """Let anything happen until the job is over; it always gets there."""
    disturbances = 4
    for _ in range(200):
        if isinstance(play.orders[-1], FinishJob):
            return
        choices = due(play)
        assert choices, "nothing can happen any more"
        event = data.draw(st.integers(0, 11), "event") if disturbances else 11
        if event < 2:
            disturbances -= 1
            _disturb(play, data, event)
            continue
        chosen = data.draw(st.sampled_from(choices), "next")
        if isinstance(chosen, LoadAction):
            play.answer(chosen.key, chosen.uses)
        else:
            outcome = data.draw(st.sampled_from([SUCCESS, SUCCESS, FAILURE, CANCELLED]))
            play.send(StepFinished(key=chosen, outcome=outcome))
    raise AssertionError("the job never ends")


def _disturb(play: JobPlay, data: st.DataObject, event: int) -> None:
    """Ask the job to end, or let a timer go off."""
    if event == 0:
        play.send(JobCancelRequested("stop", at_once=data.draw(st.booleans(), "at once")))
    else:
        play.send(TimerFired(data.draw(st.sampled_from(timers(play)), "timer")))


@settings(max_examples=80, deadline=None)
@given(steps=jobs(), data=st.data())
def test_every_job_ends_and_accounts_for_every_step(steps: str, data: st.DataObject) -> None:
    """Nothing waits for ever, each step ends once, and the same signals give the same orders."""
    play = JobPlay(steps, ACTIONS, loads=False)
    play_to_the_end(play, data)

    begun = [
        order.key for order in play.orders if isinstance(order, StartStep | OpenStep | RejectStep)
    ]
    skipped = [order.key for order in play.orders if isinstance(order, SkipStep)]
    ended = [order.key for order in play.orders if isinstance(order, ConcludeStep)]
    assert sorted(ended) == sorted(begun)
    assert len(set(begun + skipped)) == len(begun + skipped)
    assert sum(isinstance(order, FinishJob) for order in play.orders) == 1
    for order in play.orders:
        if isinstance(order, CancelStep):
            assert order.key in begun
    assert play.replay() == play.orders


@settings(max_examples=50, deadline=None)
@given(steps=jobs(), data=st.data())
def test_post_stages_run_once_each_in_reverse(steps: str, data: st.DataObject) -> None:
    """Those of the job come after all else, the last registered first."""
    play = JobPlay(steps, ACTIONS, loads=False)
    play_to_the_end(play, data)

    orders = play.orders
    seen = [
        order.key
        for order in orders
        if isinstance(order, StartStep | OpenStep | RejectStep | SkipStep)
    ]
    posts = [key for key in seen if key.startswith("post:") and "." not in key]
    mains = [key for key in seen if not key.startswith(("pre:", "post:")) and "." not in key]
    if posts:
        first = seen.index(posts[0])
        assert all(seen.index(key) < first for key in mains)
    if not any(isinstance(order, KillSteps) for order in orders):
        ran = {
            order.key
            for order in orders
            if isinstance(order, StartStep) and order.action and order.stage == "main"
        }
        tops = {f"post:{key}" for key in ran if "." not in key}
        assert tops <= set(posts)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(11, 16), data=st.data())
def test_never_more_than_ten_background_steps_at_once(count: int, data: st.DataObject) -> None:
    """In whatever order they end, and all of them run."""
    steps = "\n".join(f"- {{id: s{number}, run: x, background: true}}" for number in range(count))
    play = JobPlay(steps)
    while play.running():
        assert len(play.running()) <= 10
        play.end(data.draw(st.sampled_from(play.running())))

    assert isinstance(play.orders[-1], FinishJob)
    assert sum(isinstance(order, StartStep) for order in play.orders) == count
