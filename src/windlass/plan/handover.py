"""The secrets of a run → those of one job in it, along the calls that lead to the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.plan.faults import PlanFault
from windlass.plan.keys import Scope, evaluate_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windlass.plan.orders import SecretHandover

TOKEN: Final = "GITHUB_TOKEN"
"""The one secret that every workflow has, handed over or not."""

LOCAL_TOKEN: Final = "ghs_windlass"
"""How the token begins that Windlass itself gives a job where none was given.

It is good for Windlass's own answers of GitHub's REST API, while the job runs, and nowhere else.
"""


def hand_over(
    secrets: Mapping[str, str], handovers: Sequence[SecretHandover]
) -> dict[str, str] | PlanFault:
    """Return what is left of the run's secrets after each call, outermost first.

    Source: https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
    """
    current = dict(secrets)
    for handover in handovers:
        if handover.inherit:
            continue
        scope = Scope({**handover.contexts, "secrets": current})
        given = evaluate_texts(handover.secrets, scope)
        if isinstance(given, PlanFault):
            return given
        token = {TOKEN: current[TOKEN]} if TOKEN in current else {}
        current = {**token, **given}
    return current
