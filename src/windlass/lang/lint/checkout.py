"""Whether a job's workspace holds the repository itself, and from which step on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.lint.places import StepPlace, steps_of
from windlass.lang.tokens import MappingToken
from windlass.lang.workflow.model import ActionStep, Job

if TYPE_CHECKING:
    from windlass.lang.tokens import ComputedMapping
    from windlass.lang.workflow.model import Step

_ELSEWHERE = ("path", "repository")


def has_own_tree(job: Job) -> bool:
    """Say whether every checkout of a job puts this repository at the workspace's root."""
    return not any(
        isinstance(found.step, ActionStep)
        and _is_checkout(found.step)
        and _may_be_elsewhere(found.step.inputs)
        for found in steps_of(job)
    )


def _may_be_elsewhere(inputs: ComputedMapping | None) -> bool:
    if isinstance(inputs, MappingToken):
        return any(inputs.find(name) is not None for name in _ELSEWHERE)
    return inputs is not None


def is_checked_out(place: StepPlace) -> bool:
    """Say whether a step before may have filled the workspace: a checkout, or anything else."""
    return any(_may_fill(found.step) for found in steps_of(place.job)[: place.earlier])


def has_checkout_before(place: StepPlace) -> bool:
    """Say whether a step before is actions/checkout."""
    earlier = steps_of(place.job)[: place.earlier]
    return any(_is_checkout(found.step) for found in earlier)


def is_preparation(step: Step) -> bool:
    """Say whether a step only checks out or sets up tools."""
    return isinstance(step, ActionStep) and (not _may_fill(step) or _is_checkout(step))


def _may_fill(step: Step) -> bool:
    is_setup = isinstance(step, ActionStep) and step.uses.value.startswith("actions/setup-")
    return not is_setup


def _is_checkout(step: Step) -> bool:
    return isinstance(step, ActionStep) and step.uses.value.lower().startswith("actions/checkout@")
