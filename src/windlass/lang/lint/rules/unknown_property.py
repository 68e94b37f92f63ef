"""A member of `github`, `runner`, `job`, `strategy`, a step or a needed job must exist.

A misspelt member gives null, which becomes an empty string without any error. What an event
carries (`github.event`) is not checked.
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
    code="unknown-property",
    severity=Severity.ERROR,
    summary="`github`, `runner`, `job`, `strategy` or a result has no such member",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.repositry }}
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.repository }}
""",
    check=check,
    is_for_actions=True,
)
