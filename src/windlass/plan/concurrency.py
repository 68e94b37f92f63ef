"""`concurrency:` of a workflow or a job: which group it waits in, and what happens to the others.

Source: https://docs.github.com/en/actions/concepts/workflows-and-actions/concurrency and
actions/runner src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter.ConvertToConcurrency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from windlass.lang.casing import equals_ignoring_case
from windlass.lang.expressions import UNKNOWN, Unknown, holds_unknown, kind_of, to_text
from windlass.lang.template import TemplateFault, evaluate_token_partial
from windlass.model.values import dataclass
from windlass.plan.faults import PlanFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.expressions import Value
    from windlass.lang.tokens import Token

MAX_GROUP_LENGTH: Final = 400


@dataclass(frozen=True, slots=True)
class Concurrency:
    """A group in which one member runs at a time.

    `cancel_in_progress` ends the running member for a new one; `queue` says whether one waiting
    member or any number (`max`) is kept. Groups are compared without regard to case.
    """

    group: str
    cancel_in_progress: bool = False
    queue: Literal["single", "max"] = "single"

    def is_same_group(self, other: Concurrency) -> bool:
        """Tell whether two names mean one group."""
        return equals_ignoring_case(self.group, other.group)


def evaluate_concurrency(
    token: Token, contexts: Mapping[str, Value]
) -> Concurrency | Unknown | PlanFault:
    """Evaluate a `concurrency:` key, a string or a mapping; UNKNOWN where results decide."""
    value = evaluate_token_partial(token, contexts)
    if isinstance(value, TemplateFault):
        return PlanFault(value.fault.message, value.span)
    if holds_unknown(value):
        return UNKNOWN
    concurrency = _read(value)
    if isinstance(concurrency, str):
        return PlanFault(concurrency, token.span)
    return concurrency


def _read(value: Any) -> Concurrency | str:
    """Return the group, or what is wrong with it."""
    members = value if isinstance(value, dict) else {"group": value}
    group, cancel = members.get("group"), members.get("cancel-in-progress", False)
    queue = members.get("queue", "single")
    if kind_of(group) in ("Array", "Object"):
        return "A string was expected for the concurrency group"
    if not isinstance(cancel, bool):
        return f"Unexpected value '{to_text(cancel)}'"
    if queue not in ("single", "max"):
        return f"Unexpected value '{to_text(queue)}'"
    name = to_text(group)
    if not name:
        return "Concurrency group name cannot be empty"
    if len(name) > MAX_GROUP_LENGTH:
        return "Concurrency group name must be less than 400 characters"
    return Concurrency(name, cancel, "max" if queue == "max" else "single")
