"""Which of the run's secrets reach a job along the calls that lead to it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.machines import mapping

from windlass.plan.faults import PlanFault
from windlass.plan.handover import hand_over
from windlass.plan.orders import SecretHandover

SECRETS = {"A": "a-secret", "B": "b-secret", "GITHUB_TOKEN": "token"}
INHERIT = SecretHandover(inherit=True, secrets=None, contexts={})
NOTHING = SecretHandover(inherit=False, secrets=None, contexts={})


def named(**secrets: Any) -> SecretHandover:
    return SecretHandover(inherit=False, secrets=mapping(secrets), contexts={"inputs": {"x": "y"}})


@pytest.mark.parametrize(
    ("handovers", "expected"),
    [
        pytest.param([], SECRETS, id="not called"),
        pytest.param([INHERIT], SECRETS, id="all inherited"),
        pytest.param([NOTHING], {"GITHUB_TOKEN": "token"}, id="nothing but the token"),
        pytest.param(
            [named(key="${{ secrets.A }}", fixed="${{ inputs.x }}")],
            {"GITHUB_TOKEN": "token", "key": "a-secret", "fixed": "y"},
            id="by name",
        ),
        pytest.param(
            [named(key="${{ secrets.A }}"), named(again="${{ secrets.key }}")],
            {"GITHUB_TOKEN": "token", "again": "a-secret"},
            id="through two calls",
        ),
        pytest.param(
            [named(key="${{ secrets.A }}"), INHERIT],
            {"GITHUB_TOKEN": "token", "key": "a-secret"},
            id="inherited from what the caller has",
        ),
        pytest.param(
            [INHERIT, named(key="${{ secrets.A }}")],
            {"GITHUB_TOKEN": "token", "key": "a-secret"},
            id="by name from what was inherited",
        ),
        pytest.param(
            [named(key="${{ secrets.A }}"), named(other="${{ secrets.B }}")],
            {"GITHUB_TOKEN": "token", "other": ""},
            id="what the caller does not have is empty",
        ),
    ],
)
@pytest.mark.requirement("A27")
def test_hand_over(handovers: list[SecretHandover], expected: dict[str, str]) -> None:
    """Each call passes on what it names, or all that its caller has."""
    assert hand_over(SECRETS, handovers) == expected


def test_a_fault_is_told_and_nothing_is_handed_over() -> None:
    """A secret that cannot be evaluated never becomes an empty one."""
    fault = hand_over(SECRETS, [named(key="${{ fromJSON('{') }}")])

    assert isinstance(fault, PlanFault)
    assert "secret" not in fault.message


def test_a_run_without_a_token_hands_none_over() -> None:
    """A token that is not there is not made up."""
    assert hand_over({"A": "a-secret"}, [NOTHING]) == {}
