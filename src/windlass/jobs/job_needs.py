"""What the steps of a job may need beside a place to run, read from the workflow alone.

A job of scripts needs none of it, and none of it is imported for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.lang.workflow.model import ActionStep, ParallelStep

if TYPE_CHECKING:
    from windlass.lang.workflow.model import Step
    from windlass.plan.orders import StartJob

CHECKOUT: Final = "actions/checkout@"
"""How a step names the action that is built in."""


def may_need_preparation(order: StartJob) -> bool:
    """Tell whether a step may use an action that has to be there before any step runs."""
    return any(_is_action(step, "./", CHECKOUT) for step in order.job.steps)


def may_need_services(order: StartJob) -> bool:
    """Tell whether a step may talk to Windlass itself: an action, or one that asks who it is."""
    return may_ask_identity(order) or any(_is_action(step) for step in order.job.steps)


def may_ask_api(order: StartJob) -> bool:
    """Tell whether a step is an action, which may ask GitHub's API; a checkout does not."""
    return any(_is_action(step, CHECKOUT) for step in order.job.steps)


def may_ask_identity(order: StartJob) -> bool:
    """Tell whether the job may ask for an identity token."""
    return order.permissions.get("id-token") == "write"


def _is_action(step: Step, *beginnings: str) -> bool:
    """Tell whether a step may use an action other than those that begin so."""
    if isinstance(step, ActionStep):
        return not step.uses.value.startswith(beginnings)
    return isinstance(step, ParallelStep)
