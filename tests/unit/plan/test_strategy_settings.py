"""`fail-fast` and `max-parallel`: their values, their faults, and a strategy of nothing else.

Source: actions/runner src/Sdk/WorkflowParser/Conversion/WorkflowTemplateConverter.cs
(ConvertToStrategy).
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.planning import read_job

from windlass.plan.faults import PlanFault
from windlass.plan.matrix import MAX_NAME_LENGTH, Strategy, expand

CONTEXTS: dict[str, Any] = {
    "github": {},
    "needs": {},
    "vars": {},
    "inputs": {"text": "many", "zero": 0, "negative": -1, "half": 2.5, "no": False},
}


def strategy_of(text: str) -> Strategy | PlanFault:
    found = expand(read_job(text), CONTEXTS)
    assert isinstance(found, Strategy | PlanFault)
    return found


def settings_of(settings: str, matrix: str = "{v: [1, 2]}") -> Strategy:
    found = strategy_of(f"strategy: {{{settings}, matrix: {matrix}}}")
    assert isinstance(found, Strategy), found
    return found


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        ("1", 1, 1),
        ("5", 5, 5),
        ("${{ inputs.half }}", 2, 2),
        ("${{ inputs.zero }}", None, 2),
        ("${{ inputs.negative }}", None, 2),
        ("${{ inputs.none }}", None, 2),
    ],
)
def test_max_parallel(value: str, limit: int | None, shown: int) -> None:
    """A positive number is a limit; `strategy.max-parallel` without one is the number of legs."""
    found = settings_of(f"max-parallel: '{value}'" if "$" in value else f"max-parallel: {value}")

    assert found.max_parallel == limit
    assert [leg.strategy["max-parallel"] for leg in found.legs] == [shown, shown]


@pytest.mark.parametrize("key", ["max-parallel", "fail-fast"])
def test_a_setting_of_the_wrong_kind(key: str) -> None:
    """The fault shows what was found."""
    fault = strategy_of(f"strategy: {{{key}: '${{{{ inputs.text }}}}', matrix: {{v: [1]}}}}")

    assert isinstance(fault, PlanFault)
    assert fault.message == (
        "Error when evaluating 'strategy' for job 'build'. Unexpected value 'many'"
    )
    assert fault.span is not None


@pytest.mark.parametrize("value", ["false", "'${{ inputs.no }}'"])
def test_fail_fast_may_be_off(value: str) -> None:
    """It is on unless it is said to be false, and every leg is told."""
    off, on = settings_of(f"fail-fast: {value}"), settings_of("max-parallel: 1")

    assert (off.fail_fast, on.fail_fast) == (False, True)
    assert [leg.strategy["fail-fast"] for leg in (*off.legs, *on.legs)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "strategy: {fail-fast: false, max-parallel: 3}",
        "strategy: {fail-fast: false, matrix: {v: [1], exclude: [{v: 1}]}}",
    ],
    ids=["no-matrix", "all-excluded"],
)
def test_a_strategy_without_legs_is_one_job(text: str) -> None:
    """The job has no matrix; `fail-fast` is as written, all else that of a single job."""
    found = strategy_of(text)

    assert isinstance(found, Strategy)
    (leg,) = found.legs
    assert (leg.key, leg.name, leg.matrix) == ("build", "build", None)
    assert (found.fail_fast, found.max_parallel) == (False, None)
    assert leg.strategy == {
        "fail-fast": False,
        "job-index": 0,
        "job-total": 1,
        "max-parallel": 1,
    }


def test_the_longest_name_is_whole() -> None:
    """A name of exactly the limit is not cut, one more character is."""
    longest = "x" * (MAX_NAME_LENGTH - len("build ()"))

    fits, cut = settings_of("max-parallel: 1", f"{{v: ['{longest}', '{longest}y']}}").legs

    assert fits.name == f"build ({longest})"
    assert cut.name == f"build ({longest}y)"[: MAX_NAME_LENGTH - 3] + "..."
    assert len(cut.name) == MAX_NAME_LENGTH
