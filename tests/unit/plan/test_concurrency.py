"""`concurrency:` as a value: its keys, its limits and its faults.

Source: actions/runner src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter.cs
(ConvertToConcurrency).
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.machines import SPAN, token

from windlass.lang.expressions import UNKNOWN
from windlass.plan.concurrency import MAX_GROUP_LENGTH, Concurrency, evaluate_concurrency
from windlass.plan.faults import PlanFault

CONTEXTS: dict[str, Any] = {
    "github": {"ref": "refs/heads/main", "no": False, "list": ["a"], "map": {"a": 1}, "five": 5},
    "needs": UNKNOWN,
}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("deploy", Concurrency("deploy")),
        ("${{ github.ref }}", Concurrency("refs/heads/main")),
        ({"group": "${{ github.five }}"}, Concurrency("5")),
        ({"group": "a", "cancel-in-progress": True}, Concurrency("a", cancel_in_progress=True)),
        ({"group": "a", "cancel-in-progress": "${{ github.no }}"}, Concurrency("a")),
        ({"group": "a", "queue": "max"}, Concurrency("a", queue="max")),
        ({"group": "a", "queue": "single"}, Concurrency("a")),
        ("g" * MAX_GROUP_LENGTH, Concurrency("g" * MAX_GROUP_LENGTH)),
        ("${{ needs.a.outputs.x }}", UNKNOWN),
        ({"group": "a", "cancel-in-progress": "${{ needs.a.x }}"}, UNKNOWN),
    ],
    ids=range(10),
)
def test_values(written: Any, expected: Any) -> None:
    """A text is the group; a mapping may say more; what needs results is not known yet."""
    assert evaluate_concurrency(token(written), CONTEXTS) == expected


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("${{ github.list }}", "A string was expected for the concurrency group"),
        ({"group": "${{ github.map }}"}, "A string was expected for the concurrency group"),
        ("${{ github.none }}", "Concurrency group name cannot be empty"),
        ({"cancel-in-progress": True}, "Concurrency group name cannot be empty"),
        ({"group": "a", "cancel-in-progress": "${{ github.five }}"}, "Unexpected value '5'"),
        ({"group": "a", "queue": "${{ github.five }}"}, "Unexpected value '5'"),
        (
            "g" * (MAX_GROUP_LENGTH + 1),
            "Concurrency group name must be less than 400 characters",
        ),
        ("${{ fromJSON('') }}", "empty input"),
    ],
    ids=range(8),
)
def test_faults(written: Any, message: str) -> None:
    """What is no group is refused in GitHub's words, at its place."""
    assert evaluate_concurrency(token(written), CONTEXTS) == PlanFault(message, SPAN)
