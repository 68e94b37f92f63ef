"""What containers of a workflow cannot have is told before anything starts, where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.plan.planning import read_job

from windlass.lang.workflow.model import Job
from windlass.operations.container_keys import check_containers

if TYPE_CHECKING:
    from windlass.lang.diagnostics import Diagnostic


def check(text: str) -> list[Diagnostic]:
    job = read_job(text)
    assert isinstance(job, Job)
    return list(check_containers(job))


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("container:\n  image: a\n  options: --network host", "The option --network cannot", 7),
        ("container:\n  image: a\n  options: --foo", "The option --foo is not known", 7),
        ("services:\n  a:\n    image: a\n    ports:\n      - 80\n      - 80:x", "'80:x'", 10),
        ("services:\n  a:\n    image: a\n    ports: [70000]", "The port '70000'", 8),
        ("services:\n  a:\n    image: a\n    volumes: [./x:/y]", "The volume './x:/y'", 8),
        ('services:\n  a:\n    image: a\n    command: run "x', "A double quote is not", 8),
    ],
)
def test_mistakes(text: str, message: str, line: int) -> None:
    """A mistake has its line and its column, and what to do where there is something to."""
    (found,) = check(text)

    assert message in found.message
    assert found.span is not None
    assert found.span.start.line == line


@pytest.mark.parametrize(
    "text",
    [
        "env: {A: b}",
        "container: alpine",
        "container: ${{ matrix.image }}",
        "services: ${{ fromJSON(vars.SERVICES) }}",
        "services: {a: '${{ matrix.image }}'}",
        "services: {a: {image: a, options: '${{ matrix.options }}', ports: ['${{ matrix.a }}']}}",
        "services: {a: {image: a, options: --init, ports: [80, '81:81'], volumes: ['data:/d']}}",
    ],
)
def test_no_mistakes(text: str) -> None:
    """What is right, or not known yet, is left to the job."""
    assert check(text) == []
