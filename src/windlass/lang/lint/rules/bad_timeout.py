"""`timeout-minutes` should be a whole number of at least one.

The runner cuts off fractions: 0.5 becomes 0, and 0 is no time-out at all. A negative number fails
the job.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.tokens import NumberToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.tokens import Token


def check(subject: Subject) -> Iterator[Finding]:
    """Find time-outs below one and with a fraction."""
    for job in subject.jobs:
        yield from _check(job.timeout_minutes)
    for found in subject.steps:
        yield from _check(found.step.timeout_minutes)


def _check(timeout: Token | None) -> Iterator[Finding]:
    if not isinstance(timeout, NumberToken):
        return
    hint = "write whole minutes, at least 1"
    if not math.isfinite(timeout.value):
        message = f"{timeout.text} is no number of minutes"
        yield Finding(message=message, span=timeout.span, hint=hint)
    elif timeout.value <= 0:
        message = f"a time-out of {timeout.text} minutes is not positive"
        yield Finding(message=message, span=timeout.span, hint=hint)
    elif timeout.value < 1:
        message = f"{timeout.text} minutes are cut off to 0, which is no time-out"
        yield Finding(message=message, span=timeout.span, hint=hint)
    elif timeout.value != int(timeout.value):
        message = f"{timeout.text} minutes are cut off to {int(timeout.value)}"
        yield Finding(message=message, span=timeout.span, severity=Severity.WARNING, hint=hint)


RULE = Rule(
    code="bad-timeout",
    severity=Severity.ERROR,
    summary="a time-out that is no time-out",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
        timeout-minutes: 0.5
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
        timeout-minutes: 1
""",
    check=check,
)
