"""What `include` and `exclude` compare, what they leave alone, and how they may be wrong.

Source: actions/runner src/Sdk/WorkflowParser/Conversion/MatrixBuilder.cs
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.planning import read_job

from windlass.plan.faults import PlanFault
from windlass.plan.matrix import Strategy, expand

CONTEXTS: dict[str, Any] = {
    "github": {},
    "needs": {},
    "vars": {},
    "inputs": {"text": "x", "list": ["x"], "map": {"k": "v"}, "nothing": {}},
}


def expand_matrix(matrix: str) -> Strategy | PlanFault:
    found = expand(read_job(f"strategy: {{matrix: {matrix}}}"), CONTEXTS)
    assert isinstance(found, Strategy | PlanFault)
    return found


def matrices(matrix: str) -> list[Any]:
    found = expand_matrix(matrix)
    assert isinstance(found, Strategy), found
    return [leg.matrix for leg in found.legs]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        ("[1, 2]", [[1, 3], [4]]),
        ("[1]", [[4]]),
        ("[4, 2]", [[1, 2], [1, 3], [4]]),
        ("[1, 2, 3]", [[1, 2], [1, 3], [4]]),
        ("4", [[1, 2], [1, 3], [4]]),
    ],
)
def test_lists_are_compared_item_by_item(exclude: str, left: list[Any]) -> None:
    """An `exclude` names items by their place; what it does not name may be anything."""
    found = matrices(f"{{v: [[1, 2], [1, 3], [4]], exclude: [{{v: {exclude}}}]}}")

    assert [matrix["v"] for matrix in found] == left


def test_a_value_that_include_matches_stays_as_it_was() -> None:
    """The leg keeps its own spelling of keys and values and gets what is new."""
    found = matrices("{os: [linux, mac], include: [{OS: LINUX, Extra: 1}]}")

    assert found == [{"os": "linux", "Extra": 1}, {"os": "mac"}]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("{v: '${{ inputs.map }}'}", "A mapping was not expected"),
        ("{v: '${{ inputs.text }}'}", "Unexpected value 'x'"),
        ("{v: [1], include: '${{ inputs.map }}'}", "A mapping was not expected"),
        ("{v: [1], include: ['${{ inputs.list }}']}", "Unexpected value 'x'"),
        ("{v: [1], exclude: ['${{ fromJSON(''[[1]]'') }}']}", "A sequence was not expected"),
        ("'${{ inputs.list }}'", "A sequence was not expected"),
        ("'${{ inputs.text }}'", "Unexpected value 'x'"),
        ("'${{ inputs.nothing }}'", "Matrix must define at least one vector"),
        (
            "{v: [1], include: ['${{ inputs.nothing }}']}",
            "Matrix include mapping does not contain any values",
        ),
        ("{v: [1], exclude: ['${{ inputs.nothing }}']}", "Matrix exclude filter must not be empty"),
        (
            "{v: [1], exclude: [{w: 1}]}",
            "Matrix exclude key 'w' does not match any key within the matrix",
        ),
        (
            "{v: '${{ fromJSON(''[]'') }}'}",
            "Matrix vector 'v' does not contain any values",
        ),
    ],
)
def test_wrong_values_are_named(matrix: str, message: str) -> None:
    """The fault says in GitHub's words what is wrong, and nothing besides."""
    fault = expand_matrix(matrix)

    assert isinstance(fault, PlanFault)
    assert fault.message == f"Error when evaluating 'strategy' for job 'build'. {message}"
