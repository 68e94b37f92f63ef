"""A text written inside `fromJSON('…')` must be JSON.

Otherwise the step or the job fails when the expression is evaluated.
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
    code="invalid-json",
    severity=Severity.ERROR,
    summary="`fromJSON` gets a text that is not JSON",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - if: contains(fromJSON('["push", "schedule",]'), github.event_name)
        run: echo hello
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - if: contains(fromJSON('["push", "schedule"]'), github.event_name)
        run: echo hello
""",
    check=check,
    is_for_actions=True,
)
