"""What the steps of a job may need beside a place to run, read from the workflow alone.

A job of scripts needs none of it, and none of it is imported for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.lang.tokens import MappingToken, StringToken
from windlass.lang.workflow.model import ActionStep, Condition, ParallelStep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.lang.workflow.model import Step
    from windlass.plan.orders import StartJob

CHECKOUT: Final = "actions/checkout@"
"""How a step names the action that is built in."""


_OF_CONTENT: Final = frozenset(
    {"github-server-url", "lfs", "ref", "repository", "sparse-checkout", "submodules"}
)
"""Inputs of a checkout that decide which files there are."""


def may_need_preparation(order: StartJob) -> bool:
    """Tell whether a step may use an action that has to be there before any step runs."""
    return any(_is_action(step, "./", CHECKOUT) for step in order.job.steps)


def may_need_services(order: StartJob) -> bool:
    """Tell whether a step may talk to Windlass itself: an action, or one that asks who it is."""
    return may_ask_identity(order) or any(_is_action(step) for step in order.job.steps)


def may_ask_api(order: StartJob) -> bool:
    """Tell whether a step is an action, which may ask GitHub's API; a checkout does not."""
    return any(_is_action(step, CHECKOUT) for step in order.job.steps)


def checks_out_plainly(steps: Iterable[Step]) -> bool:
    """Tell whether steps are sure to check out all files of the job's own commit, and no others."""
    return any(_is_plain_checkout(step) for step in steps)


def may_ask_identity(order: StartJob) -> bool:
    """Tell whether the job may ask for an identity token."""
    return order.permissions.get("id-token") == "write"


def _is_plain_checkout(step: Step) -> bool:
    if not isinstance(step, ActionStep) or step.condition != Condition("success()"):
        return False
    if not step.uses.value.lower().startswith(CHECKOUT):
        return False
    if step.inputs is None:
        return True
    if not isinstance(step.inputs, MappingToken):
        return False
    names = [name for name, _ in step.inputs.entries]
    return all(isinstance(it, StringToken) and it.value.lower() not in _OF_CONTENT for it in names)


def _is_action(step: Step, *beginnings: str) -> bool:
    """Tell whether a step may use an action other than those that begin so."""
    if isinstance(step, ActionStep):
        return not step.uses.value.startswith(beginnings)
    return isinstance(step, ParallelStep)
