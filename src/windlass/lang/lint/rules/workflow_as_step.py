"""A reusable workflow is called by a job, not by a step.

A step with `uses: ./.github/workflows/NAME.yml` looks for an action in a folder of that name and
fails.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


_WORKFLOW = re.compile(r"(^|/)\.github/workflows/[^/]+\.ya?ml(@.+)?$")


def check(subject: Subject) -> Iterator[Finding]:
    """Find steps whose `uses` is a workflow file."""
    for _, step in subject.action_steps:
        if _WORKFLOW.search(step.uses.value):
            yield Finding(
                message=f"`{step.uses.value}` is a workflow, and a step can use an action only",
                span=step.uses.span,
                hint="call it from a job of its own: `jobs.NAME.uses`",
            )


RULE = Rule(
    code="workflow-as-step",
    severity=Severity.ERROR,
    summary="a step uses a workflow file",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: ./.github/workflows/deploy.yml
""",
    after="""\
on: push
jobs:
  build:
    uses: ./.github/workflows/deploy.yml
    with:
      target: staging
""",
    check=check,
    is_for_actions=True,
    files={
        ".github/workflows/deploy.yml": """\
on:
  workflow_call:
    inputs:
      target:
        type: string
        required: true
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - run: echo deploy
""",
    },
)
