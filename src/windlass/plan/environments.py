"""`environment:` of a job: the deployment target it names.

Source: actions/runner src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter
.ConvertToActionEnvironmentReference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.expressions import UNKNOWN, Unknown, kind_of, to_text
from windlass.lang.template import TemplateFault, evaluate_token_partial
from windlass.lang.tokens import MappingToken
from windlass.plan.faults import PlanFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.expressions import Value
    from windlass.lang.tokens import Token


def evaluate_environment(
    token: Token | None, contexts: Mapping[str, Value]
) -> str | Unknown | PlanFault | None:
    """Return the name that an `environment:` key gives, as a text or in a mapping; None for none.

    What else a mapping says is not asked for before the job ends.
    """
    name_token = token.find("name") if isinstance(token, MappingToken) else token
    if name_token is None:
        return None
    name = evaluate_token_partial(name_token, contexts)
    if isinstance(name, TemplateFault):
        return PlanFault(name.fault.message, name.span)
    if isinstance(name, Unknown):
        return UNKNOWN
    if kind_of(name) in ("Array", "Object"):
        return PlanFault("The name of an environment must be a string", name_token.span)
    return to_text(name) or None
