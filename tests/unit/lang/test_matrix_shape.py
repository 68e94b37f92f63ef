"""What a matrix shows without being evaluated."""

from __future__ import annotations

import pytest

from windlass.lang.matrix_shape import MatrixShape, read_matrix
from windlass.lang.tokens import StringToken
from windlass.lang.workflow import read_workflow
from windlass.lang.workflow.model import Job

COMPUTED = "'${{ fromJSON(vars.x) }}'"
INSERT = "'${{ insert }}': " + COMPUTED


def shape(strategy: str) -> MatrixShape | None:
    text = f"on: push\njobs: {{a: {{runs-on: x, strategy: {strategy}}}}}\n"
    workflow = read_workflow("w.yml", text.encode()).workflow
    assert workflow is not None
    (job,) = workflow.jobs
    assert isinstance(job, Job)
    return read_matrix(job.strategy)


@pytest.mark.parametrize(
    ("strategy", "names", "is_dynamic"),
    [
        ("{matrix: {os: [x], v: [1]}}", ("os", "v"), False),
        ("{matrix: {os: [x], include: [{os: y, more: 1}, {more: 2}]}}", ("os", "more"), False),
        ("{matrix: {os: [x], exclude: [{other: y}]}}", ("os",), False),
        ("{matrix: {os: [x], Include: [{more: y}]}}", ("os", "more"), False),
        (f"{{matrix: {{os: {COMPUTED}}}}}", ("os",), False),
        (f"{{matrix: {{os: [x], include: {COMPUTED}}}}}", ("os",), True),
        (f"{{matrix: {{os: [x], include: [{COMPUTED}, {{more: 1}}]}}}}", ("os", "more"), True),
        (f"{{matrix: {{os: [x], include: [{{{INSERT}}}]}}}}", ("os",), True),
        (f"{{matrix: {{os: [x], exclude: {COMPUTED}}}}}", ("os",), False),
        (f"{{matrix: {{os: [x], {INSERT}}}}}", ("os",), True),
        (f"{{matrix: {COMPUTED}}}", (), True),
        (COMPUTED, (), True),
        (f"{{{INSERT}}}", (), True),
    ],
)
def test_keys_of_a_matrix(strategy: str, names: tuple[str, ...], is_dynamic: bool) -> None:
    """Keys come from the vectors and from `include`; an expression may add others."""
    found = shape(strategy)
    assert found is not None
    assert (found.names(), found.is_dynamic) == (names, is_dynamic)


def test_a_strategy_without_a_matrix() -> None:
    """A job may only limit how its one combination runs."""
    assert shape("{fail-fast: false}") is None
    assert read_matrix(None) is None


def test_values_that_include_gives() -> None:
    """A key is found in any case; entries that are computed give nothing."""
    found = shape(f"{{matrix: {{os: [x], include: [{{OS: y}}, {COMPUTED}, {{v: 1}}, {{os: z}}]}}}}")
    assert found is not None
    values = [
        value.value for value in found.included_values("os") if isinstance(value, StringToken)
    ]
    assert values == ["y", "z"]
    computed = shape(f"{{matrix: {{os: [x], include: {COMPUTED}}}}}")
    assert computed is not None
    assert list(computed.included_values("os")) == []


def test_vectors() -> None:
    """A vector is found in any case; its values are None where an expression makes them."""
    found = shape(f"{{matrix: {{os: [x, y], computed: {COMPUTED}}}}}")
    assert found is not None
    vector = found.find("OS")
    assert vector is not None
    assert vector.values is not None
    assert len(vector.values) == 2
    computed = found.find("computed")
    assert computed is not None
    assert computed.values is None
    assert found.find("gone") is None
