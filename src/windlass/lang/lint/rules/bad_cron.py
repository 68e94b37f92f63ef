"""A `cron` should name times that exist and are at least five minutes apart.

GitHub starts scheduled runs every five minutes at most. A day such as 31 February never comes, so
nothing ever runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.cron import find_cron_problem
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find schedules that are too frequent or never come."""
    for schedule in subject.workflow.triggers.schedules:
        problem = find_cron_problem(schedule.cron)
        if problem is not None:
            yield Finding(message=f"`{schedule.cron}` {problem}", span=schedule.span)


RULE = Rule(
    code="bad-cron",
    severity=Severity.WARNING,
    summary="a `cron` that cannot do what it says",
    text=__doc__ or "",
    before="""\
on:
  schedule:
    - cron: '*/2 * * * *'
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    after="""\
on:
  schedule:
    - cron: '*/5 * * * *'
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    check=check,
)
