"""What the labels of `runs-on` say of the machine.

https://docs.github.com/en/actions/reference/runners/github-hosted-runners
"""

from __future__ import annotations

import pytest

from windlass.lang.runner_labels import architecture_of, literal_labels, system_of
from windlass.lang.workflow import read_workflow
from windlass.lang.workflow.model import Job


@pytest.mark.parametrize(
    ("label", "system", "architecture"),
    [
        ("ubuntu-latest", "linux", None),
        ("UBUNTU-22.04", "linux", None),
        ("ubuntu-24.04-arm", "linux", "ARM64"),
        ("linux", "linux", None),
        ("windows-2025", "windows", "X64"),
        ("windows-11-arm", "windows", "ARM64"),
        ("Windows", "windows", None),
        ("macos-15", "macos", "ARM64"),
        ("macos-15-intel", "macos", "X64"),
        ("macos-15-large", "macos", "X64"),
        ("macos-15-xlarge", "macos", "ARM64"),
        ("macOS", "macos", None),
        ("macos-99", "macos", None),
        ("ARM64", None, "ARM64"),
        ("arm", None, "ARM"),
        ("x64", None, "X64"),
        ("self-hosted", None, None),
        ("my-ubuntu-box", None, None),
        ("my-arm", None, None),
    ],
)
def test_what_a_label_names(label: str, system: str | None, architecture: str | None) -> None:
    """A label names a system, a processor, both or neither, in any case."""
    assert (system_of(label), architecture_of(label)) == (system, architecture)


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("runs-on: x", ["x"]),
        ("runs-on: [x, y]", ["x", "y"]),
        ("runs-on: {group: g, labels: [x, y]}", ["x", "y"]),
        ("runs-on: {group: g, labels: x}", ["x"]),
        ("runs-on: {group: g}", []),
        ("runs-on: '${{ vars.label }}', strategy: {matrix: {label: [x]}}", []),
        ("runs-on: '${{ matrix.os }}', strategy: {matrix: {OS: [x, y]}}", ["x", "y"]),
        ("runs-on: ['${{ matrix.os }}', z], strategy: {matrix: {os: [x, y]}}", ["x", "y", "z"]),
        (
            "runs-on: {labels: '${{ matrix.v }}'}, strategy: {matrix: {v: [x], include: [{v: y}]}}",
            ["x", "y"],
        ),
        ("runs-on: '${{ matrix.os }}', strategy: {matrix: {os: [[x, y], {labels: z}]}}", [*"xyz"]),
        ("runs-on: '${{ matrix.os }}', strategy: {matrix: {os: ['${{ vars.x }}', y]}}", ["y"]),
        ("runs-on: '${{ matrix.os }}', strategy: {matrix: {os: '${{ vars.x }}'}}", []),
        ("runs-on: '${{ matrix.os }}', strategy: {matrix: {other: [x]}}", []),
        ("runs-on: '${{ matrix.os }}'", []),
        ("runs-on: '${{ matrix.os.name }}', strategy: {matrix: {os: [x]}}", []),
    ],
)
def test_labels_that_the_file_shows(job: str, expected: list[str]) -> None:
    """`matrix.KEY` stands for its literal values; other expressions give nothing."""
    workflow = read_workflow("w.yml", f"on: push\njobs: {{a: {{{job}}}}}\n".encode()).workflow
    assert workflow is not None
    (found,) = workflow.jobs
    assert isinstance(found, Job)
    assert [label.value for label in literal_labels(found)] == expected
