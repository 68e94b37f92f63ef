"""A `steps.ID` must be the `id` of a step that stands before the expression.

In a step, `steps` holds the steps of the same job that have ended; a later step, a step of another
job or a misspelt id gives null, which becomes an empty string without any error. In `outputs` and
`environment.url` every step of the job is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.finding import Finding
    from windlass.lang.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what the type check found for this rule."""
    return subject.find_problems(RULE.code)


RULE = Rule(
    code="unknown-step",
    severity=Severity.ERROR,
    summary="`steps.ID` names no earlier step",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: version
        run: echo "number=1.2.3" >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.verison.outputs.number }}
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: version
        run: echo "number=1.2.3" >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.version.outputs.number }}
""",
    check=check,
    is_for_actions=True,
)
