"""Names and time-outs of steps at their edges.

Source: actions/runner src/Runner.Worker/ActionRunner.cs and StepsRunner.cs
"""

from __future__ import annotations

import pytest
from tests.unit.plan.machines import run_step
from tests.unit.plan.test_job import Steps


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        (1, 1),
        (360, 360),
        (2.9, 2),
        (0.5, None),
        (0, None),
        (-5, None),
        (2**31 - 1, 2**31 - 1),
        (2**31, None),
        ("${{ fromJSON('90') }}", 90),
    ],
)
def test_time_outs_are_whole_minutes(written: float | str, minutes: int | None) -> None:
    """Fractions are cut off; nothing above zero, or more than 32 bits hold, is no limit."""
    start = Steps(run_step("a", timeout_minutes=written)).started("a")

    assert start.timeout_minutes == minutes
    assert start.problems == ()


def test_a_time_out_that_cannot_be_evaluated() -> None:
    """The step runs without a limit and reports two lines."""
    start = Steps(run_step("a", timeout_minutes="${{ fromJSON('') }}")).started("a")

    assert start.timeout_minutes is None
    assert start.problems == (
        "An error occurred when attempting to determine the step timeout.",
        "w.yml (Line: 1, Col: 1): empty input",
    )


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"name": "X marks"}, "X marks"),
        ({"name": "${{ '' }}"}, "run"),
        ({"name": "${{ github.none }}"}, "run"),
        ({"name": " \t\n first\nsecond"}, "first"),
        ({"run": "Xvfb :1"}, "Run Xvfb :1"),
        ({"run": "${{ github.none }}"}, "run"),
        ({"run": "\n \t\r\n  make\n"}, "Run make"),
    ],
)
def test_names(keys: dict[str, str], name: str) -> None:
    """The first line that is not blank is the name; without any it is `run`."""
    assert Steps(run_step("a", **keys)).started("a").name == name


def test_an_order_holds_the_step_it_is_about() -> None:
    """A script that is nothing is empty, and the step comes along as it was read."""
    step = run_step("a", run="${{ github.none }}")
    start = Steps(step).started("a")

    assert start.step is step
    assert start.script == ""
