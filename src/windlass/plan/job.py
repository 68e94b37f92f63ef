"""The state machine of one job: which step runs next, with what, and how the job ends.

Pure and deterministic: `receive` takes one signal and returns the orders it leads to. Whoever
carries the orders out sends `JobOpened` first, then `StepFinished` for every `StartStep`. A signal
that no longer matters (a step that is not running, anything after `FinishJob`) leads to no orders.
Source: actions/runner src/Runner.Worker/StepsRunner.cs, JobExtension.cs, ExecutionContext.cs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from windlass.lang.expressions import CaseSensitive
from windlass.model.status import Result
from windlass.model.values import dataclass
from windlass.plan.conditions import decide_step
from windlass.plan.decision import Decision, Verdict
from windlass.plan.faults import PlanFault
from windlass.plan.keys import (
    Scope,
    describe_fault,
    evaluate_boolean,
    evaluate_text,
    evaluate_texts,
)
from windlass.plan.preparation import name_step, prepare_step
from windlass.plan.steps import (
    ActionLoaded,
    Annotate,
    CancelStep,
    ConcludeStep,
    FinishJob,
    JobCancelRequested,
    JobOpened,
    KillSteps,
    RejectStep,
    SkipStep,
    StartTimer,
    StepFinished,
    StopTimer,
    TimerFired,
)

if TYPE_CHECKING:
    from windlass.lang.expressions import Value
    from windlass.lang.workflow.model import Step
    from windlass.plan.keys import Function
    from windlass.plan.orders import StartJob
    from windlass.plan.steps import JobOrder, JobSignal, StartStep

SECONDS_PER_MINUTE: Final = 60
OVERDUE: Final = "The job running on runner windlass has exceeded the maximum execution time"


@dataclass(frozen=True, slots=True)
class _Running:
    """The step that was started last and has not ended, with what its own keys may look at."""

    step: Step
    scope: Scope
    start: StartStep


class JobMachine:
    """Steps in order, each decided when its turn comes."""

    def __init__(
        self,
        order: StartJob,
        *,
        secrets: Mapping[str, str],
        functions: Mapping[str, Function] | None = None,
    ) -> None:
        """Take the job to run, its secrets and the functions that need the world (`hashFiles`)."""
        self._order = order
        self._job = order.job
        self._workflow = order.workflow
        self._contexts: dict[str, Value] = dict(order.contexts)
        self._secrets = dict(secrets)
        self._functions = dict(functions or {})
        self._status = Result.SUCCESS
        self._variables: dict[str, str] = {}
        self._paths: list[str] = []
        self._defaults: dict[str, str] = {}
        self._ended_steps: dict[str, Value] = {}
        self._next = 0
        self._running: _Running | None = None
        self._timed_out = False
        self._killed = False
        self._opened = False
        self._finished = False

    def receive(self, signal: JobSignal) -> list[JobOrder]:
        """Take one signal; return what is to be done now, in order."""
        if self._finished:
            return []
        match signal:
            case JobOpened():
                return [] if self._opened else self._open(signal)
            case StepFinished():
                return self._end_step(signal)
            case JobCancelRequested():
                return [*self._cancel(), *(self._kill() if signal.at_once else ())]
            case TimerFired():
                return self._take_time_out(signal.timer)
            case ActionLoaded():
                return []

    # How the job opens

    def _open(self, signal: JobOpened) -> list[JobOrder]:
        self._opened = True
        self._contexts["github"] = {**_mapping(self._contexts.get("github")), **signal.github}
        self._contexts["runner"] = dict(signal.runner)
        self._contexts["job"] = dict(signal.job)
        problem = self._evaluate_variables() or self._evaluate_defaults()
        if problem is not None:
            return [self._finish(Result.FAILURE, problems=(describe_fault(problem),))]
        return [*self._limit("job", self._order.timeout_minutes), *self._advance()]

    def _evaluate_variables(self) -> PlanFault | None:
        """Fill the job's variables from the workflow's `env`, then the job's."""
        for token in (self._workflow.env, self._job.env):
            variables = evaluate_texts(token, self._scope())
            if isinstance(variables, PlanFault):
                return variables
            self._variables.update(variables)
        return None

    def _evaluate_defaults(self) -> PlanFault | None:
        """Fill `defaults.run`: the workflow's, overlaid by the job's."""
        for defaults in (self._workflow.defaults, self._job.defaults):
            if defaults is None:
                continue
            computed = evaluate_texts(defaults.computed, self._scope())
            if isinstance(computed, PlanFault):
                return computed
            self._defaults.update({key: text for key, text in computed.items() if text})
            keys = (("shell", defaults.shell), ("working-directory", defaults.working_directory))
            for key, token in keys:
                text = evaluate_text(token, self._scope())
                if isinstance(text, PlanFault):
                    return text
                if text:
                    self._defaults[key] = text
        return None

    # How steps follow each other

    def _advance(self) -> list[JobOrder]:
        """Decide steps until one runs or the job is over."""
        orders: list[JobOrder] = []
        while self._running is None and self._next < len(self._job.steps) and not self._killed:
            step = self._job.steps[self._next]
            self._next += 1
            orders += self._begin(step)
        if self._running is None:
            orders.append(self._conclude())
        return orders

    def _begin(self, step: Step) -> list[JobOrder]:
        """Start, skip or reject one step, evaluating in the runner's order: env, name, if."""
        scope = self._scope(step)
        own = evaluate_texts(step.env, scope)
        if isinstance(own, PlanFault):
            return self._reject(step, name_step(step, scope)[0], own)
        scope = self._scope(step, own)
        name, name_problem = name_step(step, scope)
        decision = self._decide(step, scope)
        if isinstance(decision, PlanFault):
            return self._reject(step, name, decision)
        if decision.verdict is not Verdict.RUN:
            self._record(step, Result.SKIPPED, Result.SKIPPED)
            return [SkipStep(step.id, name, decision)]
        start = prepare_step(
            step,
            scope,
            name=name,
            defaults=self._defaults,
            paths=tuple(self._paths),
            problems=() if name_problem is None else (name_problem,),
        )
        if isinstance(start, PlanFault):
            return self._reject(step, name, start, scope)
        self._running = _Running(step, scope, start)
        return [*self._limit(f"step:{step.id}", start.timeout_minutes), start]

    def _decide(self, step: Step, scope: Scope) -> Decision | PlanFault:
        return decide_step(step.condition, scope.contexts, self._status, scope.functions)

    def _reject(
        self, step: Step, name: str, problem: PlanFault, scope: Scope | None = None
    ) -> list[JobOrder]:
        """Fail a step before it runs.

        `continue-on-error` counts only for keys that are evaluated once the step has begun (`run`,
        `with`, `shell`): these come with a scope. For `env` and `if` it does not, as in the runner.
        """
        conclude = self._end(step, Result.FAILURE, scope)
        return [RejectStep(step.id, name, describe_fault(problem)), conclude]

    def _end_step(self, signal: StepFinished) -> list[JobOrder]:
        running = self._running
        if running is None or running.step.id != signal.key:
            return []
        self._running = None
        self._variables.update(signal.variables)
        for path in signal.paths:
            self._paths = [path, *(known for known in self._paths if known != path)]
        orders: list[JobOrder] = []
        outcome = signal.outcome
        if running.start.timeout_minutes is not None:
            orders.append(StopTimer(f"step:{signal.key}"))
        if self._timed_out and self._status is not Result.CANCELLED:
            minutes = running.start.timeout_minutes
            text = f"The action '{running.start.name}' has timed out after {minutes} minutes."
            orders.append(Annotate(signal.key, "error", text))
            outcome = Result.FAILURE
        self._timed_out = False
        orders.append(self._end(running.step, outcome, running.scope, signal.outputs))
        return orders + self._advance()

    def _end(
        self,
        step: Step,
        outcome: Result,
        scope: Scope | None,
        outputs: Mapping[str, str] | None = None,
    ) -> ConcludeStep:
        """Settle a step's conclusion, record both results and let a failure count for the job."""
        conclusion, problem = outcome, None
        if outcome is Result.FAILURE and scope is not None:
            conclusion, problem = self._continue_on_error(step, scope)
        self._record(step, outcome, conclusion, outputs)
        if conclusion is Result.FAILURE and self._status is Result.SUCCESS:
            self._status = Result.FAILURE
        return ConcludeStep(step.id, outcome, conclusion, problem)

    def _continue_on_error(self, step: Step, scope: Scope) -> tuple[Result, str | None]:
        """Return the conclusion of a failed step."""
        goes_on = evaluate_boolean(step.continue_on_error, self._refresh(scope))
        if isinstance(goes_on, PlanFault):
            lead = (
                "The step failed and an error occurred when attempting to determine whether to "
                "continue on error."
            )
            return Result.FAILURE, f"{lead} {describe_fault(goes_on)}"
        return (Result.SUCCESS if goes_on else Result.FAILURE), None

    def _record(
        self,
        step: Step,
        outcome: Result,
        conclusion: Result,
        outputs: Mapping[str, str] | None = None,
    ) -> None:
        """Let `steps.<id>` tell about a step that ended; only ids the user gave are there."""
        if step.id_given:
            self._ended_steps[step.id] = {
                "outputs": dict(outputs or {}),
                "outcome": outcome.value,
                "conclusion": conclusion.value,
            }

    # How the job ends

    def _cancel(self) -> list[JobOrder]:
        """Turn the job to cancelled; the running step ends unless its condition still holds."""
        if self._status is Result.CANCELLED:
            return []
        self._status = Result.CANCELLED
        if self._running is None:
            return [self._finish(Result.CANCELLED)]
        step = self._running.step
        decision = self._decide(step, self._refresh(self._running.scope))
        still_holds = isinstance(decision, Decision) and decision.verdict is Verdict.RUN
        timer = StartTimer(
            "cancel", SECONDS_PER_MINUTE * max(1, self._order.cancel_timeout_minutes)
        )
        return [timer] if still_holds else [timer, CancelStep(step.id)]

    def _kill(self) -> list[JobOrder]:
        """End all that runs; no other step is begun."""
        if self._killed or self._finished:
            return []
        self._killed = True
        return [KillSteps()]

    def _take_time_out(self, timer: str) -> list[JobOrder]:
        if timer == "job":
            minutes = self._order.timeout_minutes
            text = f"{OVERDUE} of {minutes} minutes."
            return [Annotate("", "error", text), *self._cancel()]
        if timer == "cancel":
            return self._kill()
        if self._running is None or timer != f"step:{self._running.step.id}" or self._timed_out:
            return []
        self._timed_out = True
        return [CancelStep(self._running.step.id, timed_out=True)]

    def _limit(self, timer: str, minutes: int | None) -> list[JobOrder]:
        """Set a timer where there is a limit."""
        return [StartTimer(timer, minutes * SECONDS_PER_MINUTE)] if minutes and minutes > 0 else []

    def _conclude(self) -> FinishJob:
        """Evaluate the job's outputs and end it."""
        outputs = evaluate_texts(self._job.outputs, self._scope())
        if not isinstance(outputs, PlanFault):
            # The runner drops empty outputs; for a matrix this lets another leg's value win.
            filled = {name: value for name, value in outputs.items() if value}
            return self._finish(self._status, filled)
        result = Result.FAILURE if self._status is Result.SUCCESS else self._status
        return self._finish(
            result, problems=("Fail to evaluate job outputs", describe_fault(outputs))
        )

    def _finish(
        self,
        result: Result,
        outputs: Mapping[str, str] | None = None,
        problems: tuple[str, ...] = (),
    ) -> FinishJob:
        self._finished = True
        return FinishJob(result, outputs or {}, problems)

    # What expressions see

    def _scope(self, step: Step | None = None, variables: Mapping[str, str] | None = None) -> Scope:
        """Return what a key of the job or of a step may look at now.

        `variables` is the step's own `env`, which lies over the job's.
        """
        contexts = dict(self._contexts)
        if step is not None:
            contexts["github"] = {**_mapping(contexts["github"]), "action": step.id}
        contexts["env"] = CaseSensitive({**self._variables, **(variables or {})})
        contexts["secrets"] = self._secrets
        return self._refresh(Scope(contexts, self._functions))

    def _refresh(self, scope: Scope) -> Scope:
        """Return a scope with the job's status and its ended steps as they are now."""
        job = {**_mapping(scope.contexts.get("job")), "status": self._status.value}
        return Scope(
            {**scope.contexts, "job": job, "steps": dict(self._ended_steps)}, scope.functions
        )


def _mapping(value: Value) -> dict[str, Value]:
    return dict(value) if isinstance(value, Mapping) else {}
