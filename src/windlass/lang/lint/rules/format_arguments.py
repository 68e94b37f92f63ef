"""Every `{N}` of a format string must have an argument, and every argument a `{N}`.

A placeholder without an argument and a single brace fail the step when the expression is evaluated;
an argument that is not used is a warning.
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
    code="format-arguments",
    severity=Severity.ERROR,
    summary="the placeholders of `format` do not fit its arguments",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ format('{0}-{1}', github.sha) }}
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ format('{0}-{1}', github.sha, github.run_id) }}
""",
    check=check,
    is_for_actions=True,
)
