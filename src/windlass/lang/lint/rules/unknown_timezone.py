"""The `timezone` of a schedule must be one of the IANA time zone database.

Its names look like `Europe/Berlin`. GitHub refuses a workflow with another one.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find time zones whose name nobody knows."""
    for schedule in subject.workflow.triggers.schedules:
        if schedule.timezone is None:
            continue
        known = subject.repository.timezones
        if known is not None and schedule.timezone not in known:
            near = difflib.get_close_matches(schedule.timezone, known, n=1)
            yield Finding(
                message=f"there is no time zone '{schedule.timezone}'",
                span=schedule.span,
                hint=f"did you mean '{near[0]}'?" if near else "use a name such as 'Europe/Berlin'",
            )


RULE = Rule(
    code="unknown-timezone",
    severity=Severity.ERROR,
    summary="a `timezone` that does not exist",
    text=__doc__ or "",
    before="""\
on:
  schedule:
    - cron: '0 4 * * *'
      timezone: Europe/Berln
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    after="""\
on:
  schedule:
    - cron: '0 4 * * *'
      timezone: Europe/Berlin
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    check=check,
)
