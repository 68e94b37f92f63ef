"""What a plan says of the `runner` context.

Systems and processors are those of https://docs.github.com/en/actions/reference/runners.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.plan.planning import jobs_of, plan

from windlass.lang.expressions import UNKNOWN
from windlass.plan.runner import foresee_runner

HERE = {"os": "Linux", "arch": "X64", "environment": "self-hosted"}


@pytest.mark.parametrize(
    ("runs_on", "system", "architecture"),
    [
        ("ubuntu-latest", "Linux", "X64"),
        ("Ubuntu-Latest", "Linux", "X64"),
        ("ubuntu-24.04-arm", "Linux", "ARM64"),
        ("ubuntu-latest-16-cores", "Linux", UNKNOWN),
        ("windows-latest", "Windows", "X64"),
        ("windows-11-arm", "Windows", "ARM64"),
        ("macos-latest", "macOS", "ARM64"),
        ("macos-15-intel", "macOS", "X64"),
        ("macos-14-large", "macOS", "X64"),
        ("macos-14-xlarge", "macOS", "ARM64"),
        (["self-hosted", "linux", "arm64"], "Linux", "ARM64"),
        (["self-hosted", "linux", "arm"], "Linux", "ARM"),
        (["self-hosted", "Windows", "X64"], "Windows", "X64"),
        ({"group": "big", "labels": ["self-hosted", "macos"]}, "macOS", UNKNOWN),
        ("self-hosted", UNKNOWN, UNKNOWN),
        ({"group": "big"}, UNKNOWN, UNKNOWN),
        ("github-windows-2025-x86_64-8", UNKNOWN, UNKNOWN),
        ("depot-ubuntu-24.04-4", UNKNOWN, UNKNOWN),
        (["linux", "windows"], UNKNOWN, UNKNOWN),
        (UNKNOWN, UNKNOWN, UNKNOWN),
    ],
    ids=str,
)
def test_system_and_processor_come_from_the_labels(
    runs_on: Any, system: Any, architecture: Any
) -> None:
    """`runner.os` and `runner.arch` are what the labels name; else they are not known."""
    runner = foresee_runner(runs_on, HERE)
    assert runner.get("os") == system
    assert runner.get("arch") == architecture


def test_each_leg_has_its_own_runner() -> None:
    """A matrix over systems decides `runner.os` for every leg."""
    found = plan(
        """
        on: push
        jobs:
          build:
            strategy: {matrix: {os: [ubuntu-latest, windows-latest, mine]}}
            runs-on: ${{ matrix.os }}
            steps: [{if: runner.os == 'Linux', run: make}]
        """,
        runner=HERE,
    )
    legs = jobs_of(found)["build"].legs

    assert [leg.steps[0].decision.verdict.value for leg in legs] == ["RUN", "SKIP", "UNKNOWN"]
