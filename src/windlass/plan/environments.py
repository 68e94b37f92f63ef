"""`environment:` of a job: the deployment target it names.

Source: actions/runner src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter
.ConvertToActionEnvironmentReference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.expressions import UNKNOWN, Unknown, kind_of, to_text
from windlass.lang.template import TemplateFault, evaluate_token_partial
from windlass.lang.tokens import BooleanToken, MappingToken
from windlass.model.values import dataclass
from windlass.plan.faults import PlanFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.expressions import Value
    from windlass.lang.tokens import Token


@dataclass(frozen=True, slots=True)
class EnvironmentReference:
    """The environment a job deploys to; `url` is evaluated when the job ends.

    `deployment` is false where the job uses the environment without deploying to it.
    """

    name: str
    url: Token | None = None
    deployment: bool = True


def evaluate_environment(
    token: Token | None, contexts: Mapping[str, Value]
) -> EnvironmentReference | Unknown | PlanFault | None:
    """Evaluate an `environment:` key, a name or a mapping; None where it names nothing."""
    if token is None:
        return None
    name_token: Token | None = token
    url, deployment = None, None
    if isinstance(token, MappingToken):
        name_token, url = token.find("name"), token.find("url")
        deployment = token.find("deployment")
    if name_token is None:
        return None
    name = evaluate_token_partial(name_token, contexts)
    if isinstance(name, TemplateFault):
        return PlanFault(name.fault.message, name.span)
    if isinstance(name, Unknown):
        return UNKNOWN
    if kind_of(name) in ("Array", "Object"):
        return PlanFault("The name of an environment must be a string", name_token.span)
    deploys = deployment.value if isinstance(deployment, BooleanToken) else True
    return EnvironmentReference(to_text(name), url, deploys) if to_text(name) else None
