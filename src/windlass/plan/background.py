"""Background steps of one job: their places, their results, and what is held until a wait.

What a background step sets (outputs, environment, path, how it ended) shows when a `wait`,
`wait-all` or `cancel` step has seen it end. Its failure counts from then on, too.
Source: actions/runner src/Runner.Worker/BackgroundStepCoordinator.cs
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from windlass.lang.workflow.model import CancelStep, WaitAllStep, WaitStep
from windlass.model.status import Result
from windlass.plan.frames import merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windlass.lang.workflow.model import Step
    from windlass.plan.frames import Activity
    from windlass.plan.job_contexts import JobContexts

MAX_AT_ONCE: Final = 10
GRACE_SECONDS: Final = 7.5
"""How long a `cancel` step waits for what it cancels."""

_BEGINNINGS: Final[dict[type[Any], str]] = {
    WaitStep: "Waiting for background step(s) to complete",
    WaitAllStep: "Waiting for all background step(s) to complete",
    CancelStep: "Cancelling background step(s)",
}
_ENDS: Final[dict[type[Any], str]] = {
    WaitStep: "Finished waiting for background step(s).",
    WaitAllStep: "Finished waiting for all background step(s).",
    CancelStep: "Finished cancelling background step(s).",
}
_SHOWN: Final = {
    Result.SUCCESS: "Succeeded",
    Result.FAILURE: "Failed",
    Result.CANCELLED: "Canceled",
}


class BackgroundStep:
    """One background step, from its turn on; `results` are outcome and conclusion once it ended."""

    def __init__(self, activity: Activity) -> None:
        self.activity = activity
        self.results: tuple[Result, Result] | None = None
        self.outputs: Mapping[str, str] = {}
        self.variables: Mapping[str, str] = {}
        self.paths: tuple[str, ...] = ()
        self.seen = False
        self.expected_to_end = False
        self.ended = False


class BackgroundSteps:
    """All background steps of a job, in the order of their turns."""

    def __init__(self, contexts: JobContexts) -> None:
        self._contexts = contexts
        self._steps: dict[str, BackgroundStep] = {}
        self._queue: deque[Activity] = deque()
        self._places = MAX_AT_ONCE

    def enqueue(self, activity: Activity) -> None:
        """Take a step whose turn has come."""
        self._steps[activity.key.lower()] = BackgroundStep(activity)
        self._queue.append(activity)

    def admit(self) -> Activity | None:
        """Return the next step for which there is a place, or None."""
        if not self._queue or not self._places:
            return None
        self._places -= 1
        return self._queue.popleft()

    def withdraw(self, keys: Iterable[str] | None = None) -> list[Activity]:
        """Take steps, or all, out of the queue; they will not be started."""
        wanted = None if keys is None else {key.lower() for key in keys}
        gone = [step for step in self._queue if wanted is None or step.key.lower() in wanted]
        self._queue = deque(step for step in self._queue if step not in gone)
        return gone

    def set(
        self,
        activity: Activity,
        outputs: Mapping[str, str],
        variables: Mapping[str, str],
        paths: tuple[str, ...],
    ) -> None:
        """Hold what a step has set."""
        step = self._steps[activity.key.lower()]
        step.outputs, step.variables, step.paths = outputs, variables, paths

    def end(self, activity: Activity, results: tuple[Result, Result]) -> None:
        """Keep how a step ended; one that had a place gives it back."""
        step = self._steps[activity.key.lower()]
        step.results, step.ended = results, True
        if activity.phase != "queued":
            self._places += 1

    def holds(self, activity: Activity) -> bool:
        """Tell whether a step's turn has come and it was to run."""
        return activity.key.lower() in self._steps

    @property
    def is_idle(self) -> bool:
        """Whether every step has ended."""
        return all(step.ended for step in self._steps.values())

    def targets(self, step: Step) -> tuple[str, ...]:
        """Return the keys of the steps that a control step is about, as they were begun.

        Those that never began are left out: there is nothing to wait for.
        """
        if isinstance(step, WaitStep):
            named = [target.value.lower() for target in step.targets]
        elif isinstance(step, CancelStep):
            named = [step.target.value.lower()]
        else:
            named = [key for key, known in self._steps.items() if not known.seen]
        return tuple(key for key in dict.fromkeys(named) if key in self._steps)

    def unfinished(self, keys: Iterable[str]) -> list[Activity]:
        """Return those of the steps that have not ended."""
        steps = (self._steps[key] for key in keys)
        return [step.activity for step in steps if step.results is None]

    def expect_end(self, keys: Iterable[str]) -> None:
        """Let the cancellation of steps not count for the job."""
        for key in keys:
            self._steps[key].expected_to_end = True

    def abandon(self, keys: Iterable[str]) -> None:
        """Count those that have not ended as cancelled: their grace is over."""
        for key in keys:
            step = self._steps[key]
            step.results = step.results or (Result.CANCELLED, Result.CANCELLED)

    def show(self, keys: Iterable[str]) -> Result:
        """Let the job see what steps have set; return their merged result."""
        result = Result.SUCCESS
        for key in keys:
            step = self._steps[key]
            step.seen = True
            self._contexts.add(step.variables, step.paths)
            activity = step.activity
            activity.frame.record(activity.turn, outputs=step.outputs, results=step.results)
            if step.results is not None:
                result = merge(result, step.results[1])
        return result

    def conclude(self) -> Result:
        """Show what nothing has waited for; return what all steps together mean for the job."""
        self.show([key for key, step in self._steps.items() if not step.seen])
        result = Result.SUCCESS
        for step in self._steps.values():
            conclusion = step.results[1] if step.results else Result.SUCCESS
            if not (step.expected_to_end and conclusion is Result.CANCELLED):
                result = merge(result, conclusion)
        return result

    def announce(self, step: Step, keys: Iterable[str]) -> str:
        """Return the line with which a control step begins."""
        names = [self._steps[key].activity.name for key in keys]
        if isinstance(step, WaitAllStep) and not names:
            return "No background steps remaining to wait for."
        return f"{_BEGINNINGS[type(step)]}: {', '.join(names) or '(none)'}"

    def report(self, step: Step, keys: Iterable[str]) -> list[str]:
        """Return the lines with which a control step ends."""
        lines = [_ENDS[type(step)]]
        for key in keys:
            known = self._steps[key]
            shown = _SHOWN[known.results[1]] if known.results else "Unknown"
            lines.append(f"  {known.activity.name}: {shown}")
        return lines
