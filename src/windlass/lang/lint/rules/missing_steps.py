"""A job must have steps, or call a workflow with `uses`.

GitHub refuses the whole workflow: "No steps defined in `steps` and no workflow called in `uses`".
Its editor and its parser do not say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find jobs that have nothing to do."""
    for job in subject.jobs:
        if not job.steps:
            yield Finding(
                message=f"job `{job.id}` has no steps, so GitHub refuses the workflow",
                span=job.span,
                hint="add `steps:`, or call a workflow with `uses:`",
            )


RULE = Rule(
    code="missing-steps",
    severity=Severity.ERROR,
    summary="a job without steps",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    check=check,
)
