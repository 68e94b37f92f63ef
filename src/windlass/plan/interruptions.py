"""How steps that are under way are ended: by a cancellation, by their time, at once.

Source: actions/runner src/Runner.Worker/StepsRunner.cs (cancellation and time-outs),
Handlers/CompositeActionHandler.cs, BackgroundStepCoordinator.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.plan.preparation import survives_cancellation
from windlass.plan.steps import CancelStep, KillSteps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windlass.plan.frames import Activity
    from windlass.plan.job_contexts import JobContexts
    from windlass.plan.steps import JobOrder

OVERDUE: Final = "The job running on runner windlass has exceeded the maximum execution time"
CANCELED: Final = "The operation was canceled."
TIMED_OUT: Final = "The action has timed out."

_INTERRUPTIBLE: Final = ("running", "loading")


class Interruptions:
    """Ends what is under way in one job; `active` are its steps by key, `orders` what it says."""

    def __init__(
        self, contexts: JobContexts, active: dict[str, Activity], orders: list[JobOrder]
    ) -> None:
        self._contexts = contexts
        self._active = active
        self._orders = orders
        self.killed = False

    def cancel(self) -> None:
        """End every step whose condition does not hold in a cancelled job."""
        for activity in self._interruptible():
            if not survives_cancellation(activity, self._contexts):
                self._stop(activity)

    def stop(self, activities: Iterable[Activity], *, timed_out: bool = False) -> None:
        """End steps and whatever runs within them."""
        around = set(activities)
        for activity in self._interruptible():
            if not around.isdisjoint(activity.lineage()):
                self._stop(activity, timed_out=timed_out)

    def kill(self) -> None:
        """End all that runs at once; no other step is to begin."""
        if not self.killed:
            self.killed = True
            self._orders.append(KillSteps())

    def _interruptible(self) -> Iterator[Activity]:
        return (step for step in self._active.values() if step.phase in _INTERRUPTIBLE)

    def _stop(self, activity: Activity, *, timed_out: bool = False) -> None:
        if timed_out:
            activity.timed_out = True
        else:
            activity.cancelled = True
        if activity.phase == "running":
            self._orders.append(CancelStep(activity.key, timed_out=timed_out))


def tell_of_time_out(activity: Activity) -> str:
    """Return what is said of a step whose time is over."""
    if activity.is_nested:
        return TIMED_OUT
    kind = "background step" if activity.turn.background else "action"
    return f"The {kind} '{activity.name}' has timed out after {activity.minutes} minutes."
