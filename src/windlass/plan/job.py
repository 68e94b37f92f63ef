"""The state machine of one job: which step runs next, with what, and how the job ends.

Pure and deterministic: `receive` takes one signal and returns the orders it leads to. Whoever
carries the orders out sends `JobOpened` first, then `StepFinished` for every `StartStep` and
`ActionLoaded` for every `LoadAction`, in whatever order they come about. A signal that no longer
matters (a step that is not running, anything after `FinishJob`) leads to no orders.

The steps of the job follow one another in a frame; a composite action has a frame of its own, and
background steps run beside. Frames, stages and background steps keep their own books; what one
thing's end means for the others is decided here.
Source: actions/runner src/Runner.Worker/StepsRunner.cs, Handlers/CompositeActionHandler.cs
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from windlass.lang.workflow.model import ActionStep, RunStep
from windlass.lang.workflow.model import CancelStep as CancelControl
from windlass.model.status import Result
from windlass.plan.actions import Library, evaluate_outputs
from windlass.plan.background import GRACE_SECONDS, BackgroundSteps
from windlass.plan.conclusions import conclude_step
from windlass.plan.decision import Verdict
from windlass.plan.endings import finish_job
from windlass.plan.faults import PlanFault
from windlass.plan.frames import Activity, Frame, merge
from windlass.plan.interruptions import CANCELED, OVERDUE, Interruptions, tell_of_time_out
from windlass.plan.job_contexts import JobContexts, with_steps
from windlass.plan.keys import describe_fault
from windlass.plan.preparation import decide, evaluate_timeout, look_at
from windlass.plan.stages import Stages, job_turns
from windlass.plan.starts import Opening, Rejection, StepStarter
from windlass.plan.steps import (
    ActionLoaded,
    Annotate,
    FinishJob,
    JobCancelRequested,
    JobOpened,
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
    from collections.abc import Callable, Iterable, Mapping

    from windlass.plan.frames import Turn
    from windlass.plan.keys import Function
    from windlass.plan.orders import StartJob
    from windlass.plan.starts import Start
    from windlass.plan.steps import JobOrder, JobSignal

SECONDS_PER_MINUTE: Final = 60


class JobMachine:
    """Steps in order, each decided when its turn comes."""

    def __init__(
        self,
        order: StartJob,
        *,
        secrets: Mapping[str, str],
        functions: Mapping[str, Function] | None = None,
        is_built_in: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Take the job to run, its secrets and the functions that need the world (`hashFiles`).

        `is_built_in` tells by what `uses` says which actions of other repositories are known.
        """
        self._order = order
        self._contexts = JobContexts(order, secrets, functions or {})
        self._stages = Stages()
        self._starter = StepStarter(self._contexts, self._stages, is_built_in)
        self._background = BackgroundSteps(self._contexts)
        self._steps = Frame(())
        self._due: deque[Frame] = deque()
        self._active: dict[str, Activity] = {}
        self._awaited: tuple[str, ...] = ()
        self._orders: list[JobOrder] = []
        self._interruptions = Interruptions(self._contexts, self._active, self._orders)
        self._opened = self._in_post = self._finished = False

    def receive(self, signal: JobSignal) -> list[JobOrder]:
        """Take one signal; return what is to be done now, in order."""
        if self._finished:
            return []
        match signal:
            case JobOpened():
                self._open(signal)
            case StepFinished():
                self._end_step(signal)
            case ActionLoaded():
                self._take_action(signal)
            case TimerFired():
                self._take_time_out(signal.timer)
            case JobCancelRequested():
                self._cancel()
                if signal.at_once and not self._finished:
                    self._interruptions.kill()
        self._move_on()
        orders = self._orders[:]
        self._orders.clear()
        return orders

    # How steps follow each other

    def _open(self, signal: JobOpened) -> None:
        if self._opened:
            return
        self._opened = True
        problem = self._contexts.open(signal)
        if problem is not None:
            self._finish(FinishJob(Result.FAILURE, problems=(describe_fault(problem),)))
            return
        self._stages.library = Library(signal.actions)
        self._steps.turns.extend(job_turns(self._order.job, self._stages.library))
        self._limit("job", self._order.timeout_minutes)
        self._due.append(self._steps)

    def _move_on(self) -> None:
        """In every frame that something happened to, begin steps until one runs."""
        while self._due and not self._finished:
            frame = self._due.popleft()
            while frame.current is None and frame.turns and not self._interruptions.killed:
                self._begin(frame, frame.turns.popleft())
            if frame.current is None and not frame.closed:
                self._close(frame)

    def _begin(self, frame: Frame, turn: Turn) -> None:
        """Start, skip or reject one step, evaluating in the runner's order: env, name, if."""
        activity, fault = look_at(frame, turn, self._contexts)
        if fault is not None:
            self._reject(activity, describe_fault(fault), forgiving=False)
            return
        decision = decide(activity, self._contexts)
        if isinstance(decision, PlanFault):
            self._reject(activity, describe_fault(decision), forgiving=False)
            if activity.is_nested:
                # Later steps of the action are not even asked, as in the runner.
                frame.turns.clear()
        elif decision.verdict is not Verdict.RUN:
            self._orders.append(SkipStep(turn.key, activity.name, decision, activity.parent))
            if not turn.background:
                frame.record(turn, results=(Result.SKIPPED, Result.SKIPPED))
        elif turn.background:
            self._background.enqueue(activity)
            self._admit()
        else:
            frame.current = activity
            self._run(activity)

    def _admit(self) -> None:
        """Start background steps while there are places; in a cancelled job none is started."""
        if self._contexts.status is Result.CANCELLED:
            self._drop(self._background.withdraw())
        while (activity := self._background.admit()) is not None:
            self._run(activity)

    def _close(self, frame: Frame) -> None:
        """All steps of a frame are over: conclude the composite step, or the job."""
        if frame.owner is not None:
            self._close_action(frame, frame.owner)
        elif not self._background.is_idle:
            return
        elif self._in_post or self._interruptions.killed:
            self._conclude()
        else:
            self._in_post = True
            self._judge(self._background.conclude())
            self._steps.turns.extend(self._stages.pop_due())
            self._due.append(self._steps)

    # How a step runs

    def _run(self, activity: Activity) -> None:
        step = activity.turn.step
        activity.phase = "running"
        self._active[activity.key] = activity
        if not isinstance(step, RunStep | ActionStep):
            self._steer(activity)
            return
        if not activity.is_nested:
            activity.minutes, problems = evaluate_timeout(step, activity.scope)
            # The runner says nothing about the time-out of a background step.
            activity.problems += () if activity.turn.background else problems
        self._carry_out(activity, self._starter.start(activity))

    def _carry_out(self, activity: Activity, start: Start) -> None:
        match start:
            case Rejection():
                self._reject(activity, start.message)
            case LoadAction():
                activity.phase = "loading"
                self._orders.append(start)
            case StartStep():
                self._limit(f"step:{activity.key}", activity.minutes)
                self._orders.append(start)
            case Opening():
                activity.phase = "open"
                self._limit(f"step:{activity.key}", activity.minutes)
                self._orders.append(start.order)
                self._due.append(start.frame)

    def _take_action(self, signal: ActionLoaded) -> None:
        activity = self._active.get(signal.key)
        if activity is None or activity.phase != "loading":
            return
        activity.phase = "running"
        if activity.cancelled or self._interruptions.killed:
            self._reject(activity, CANCELED, outcome=Result.CANCELLED)
        elif signal.action is None:
            self._reject(activity, signal.problem)
        else:
            self._stages.library.add(signal.parts)
            self._carry_out(activity, self._starter.start_action(activity, signal.action))

    # How a step ends

    def _reject(
        self,
        activity: Activity,
        message: str,
        *,
        outcome: Result = Result.FAILURE,
        forgiving: bool = True,
    ) -> None:
        """Let a step fail before it does anything.

        `continue-on-error` counts only for what is evaluated once the step has begun (`run`,
        `with`, `shell`); for `env` and `if` it does not, as in the runner.
        """
        key = activity.key
        self._orders.append(RejectStep(key, activity.name, message, activity.parent))
        if activity.doomed:
            self._orders.append(Annotate(key, "error", activity.problems[0]))
        self._end(activity, outcome, forgiving=forgiving)

    def _end_step(self, signal: StepFinished) -> None:
        activity = self._active.get(signal.key)
        if activity is None or activity.phase != "running":
            return
        self._stages.save(activity.turn, signal.state)
        if activity.turn.background:
            self._background.set(activity, signal.outputs, signal.variables, signal.paths)
        else:
            self._contexts.add(signal.variables, signal.paths)
            activity.frame.record(activity.turn, outputs=signal.outputs)
        outcome = signal.outcome
        if activity.minutes is not None:
            self._orders.append(StopTimer(f"step:{activity.key}"))
        cancelled = activity.cancelled or self._contexts.status is Result.CANCELLED
        if activity.timed_out and not cancelled:
            self._orders.append(Annotate(activity.key, "error", tell_of_time_out(activity)))
            outcome = Result.FAILURE
        self._end(activity, outcome)

    def _close_action(self, frame: Frame, owner: Activity) -> None:
        """Evaluate the outputs of a composite action and end its step.

        A pre or post stage evaluates them too, without seeing any step, and has no use for them.
        """
        frame.closed = True
        scope = with_steps(self._contexts.refresh(owner.scope, frame), frame.ended, frame.inputs)
        outputs = {} if frame.action is None else evaluate_outputs(frame.action, scope)
        if owner.minutes is not None:
            self._orders.append(StopTimer(f"step:{owner.key}"))
        result = frame.result
        if isinstance(outputs, PlanFault):
            self._orders.append(Annotate(owner.key, "error", describe_fault(outputs)))
            result = Result.FAILURE
        else:
            owner.frame.record(owner.turn, outputs=outputs)
        self._end(owner, result)

    def _end(self, activity: Activity, outcome: Result, *, forgiving: bool = True) -> None:
        """Settle a step's conclusion and let it count where the step belongs."""
        self._active.pop(activity.key, None)
        order = conclude_step(activity, outcome, self._contexts, forgiving=forgiving)
        self._orders.append(order)
        self._count(activity, order.outcome, order.conclusion)

    def _count(self, activity: Activity, outcome: Result, conclusion: Result) -> None:
        frame, turn = activity.frame, activity.turn
        if turn.background and self._background.holds(activity):
            self._background.end(activity, (outcome, conclusion))
            self._admit()
            self._look_after_waiting()
            self._due.append(self._steps)
            return
        if not turn.background:
            frame.record(turn, results=(outcome, conclusion))
        if frame.owner is None:
            self._judge(conclusion)
        elif conclusion is not Result.SUCCESS:
            frame.result = merge(frame.result, conclusion)
        if frame.current is activity:
            frame.current = None
            self._due.append(frame)

    def _judge(self, conclusion: Result) -> None:
        """Let a failure count for the job."""
        if conclusion is Result.FAILURE and self._contexts.status is Result.SUCCESS:
            self._contexts.status = Result.FAILURE

    # Steps that steer background steps

    def _steer(self, activity: Activity) -> None:
        """Begin a wait or a cancellation."""
        background, step = self._background, activity.turn.step
        activity.phase = "waiting"
        keys = self._awaited = background.targets(step)
        self._orders.append(OpenStep(key=activity.key, name=activity.name, step=step))
        self._write(activity, [background.announce(step, keys)])
        if isinstance(step, CancelControl):
            background.expect_end(keys)
            self._drop(background.withdraw(keys))
            unfinished = background.unfinished(keys)
            self._interruptions.stop(unfinished)
            if unfinished:
                self._orders.append(StartTimer(f"grace:{activity.key}", GRACE_SECONDS))
        self._look_after_waiting()

    def _look_after_waiting(self) -> None:
        """End the control step if all it waits for has ended."""
        activity = self._steps.current
        if activity is None or activity.phase != "waiting":
            return
        if self._background.unfinished(self._awaited):
            return
        step, keys = activity.turn.step, self._awaited
        result = self._background.show(keys)
        self._write(activity, self._background.report(step, keys))
        if isinstance(step, CancelControl):
            self._orders.append(StopTimer(f"grace:{activity.key}"))
            result = Result.SUCCESS
        self._end(activity, result, forgiving=False)

    def _write(self, activity: Activity, lines: Iterable[str]) -> None:
        self._orders.extend(WriteLine(activity.key, line) for line in lines)

    def _drop(self, activities: Iterable[Activity]) -> None:
        """Cancel background steps that have not begun."""
        for activity in activities:
            self._reject(activity, CANCELED, outcome=Result.CANCELLED)

    # How it is ended

    def _cancel(self) -> None:
        """Turn the job to cancelled; a running step ends unless its condition still holds."""
        if self._contexts.status is Result.CANCELLED:
            return
        self._contexts.status = Result.CANCELLED
        if not self._opened:
            self._finish(FinishJob(Result.CANCELLED))
            return
        self._limit("cancel", max(1, self._order.cancel_timeout_minutes))
        self._interruptions.cancel()
        self._admit()

    def _take_time_out(self, timer: str) -> None:
        kind, _, key = timer.partition(":")
        activity = self._active.get(key)
        if kind == "job":
            minutes = self._order.timeout_minutes
            self._orders.append(Annotate("", "error", f"{OVERDUE} of {minutes} minutes."))
            self._cancel()
        elif kind == "cancel":
            self._interruptions.kill()
        elif kind == "grace" and activity is not None:
            self._background.abandon(self._awaited)
            self._look_after_waiting()
        elif activity is not None and not activity.timed_out:
            activity.timed_out = True
            self._interruptions.stop([activity], timed_out=True)

    def _limit(self, timer: str, minutes: int | None) -> None:
        """Set a timer where there is a limit."""
        if minutes is not None and minutes > 0:
            self._orders.append(StartTimer(timer, minutes * SECONDS_PER_MINUTE))

    def _conclude(self) -> None:
        """Evaluate what the job hands on and end it."""
        scope = self._contexts.of_job(self._steps)
        self._finish(finish_job(self._order.job, scope, self._contexts.status))

    def _finish(self, order: FinishJob) -> None:
        self._finished = True
        self._orders.append(order)
