"""The name of a variable consists of letters, digits and `_`, and does not begin with a digit.

A name with a blank, `=` or `&` is an error. Other names are a warning: programs can read them, but
a shell cannot.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.tokens import StringToken, entries_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.tokens import ComputedMapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BAD = re.compile(r"[=&\s\x00]")


def check(subject: Subject) -> Iterator[Finding]:
    """Find names of variables that cannot be used."""
    for env in _mappings(subject):
        for key, _ in entries_of(env):
            if not isinstance(key, StringToken) or _NAME.fullmatch(key.value):
                continue
            is_bad = not key.value or _BAD.search(key.value)
            yield Finding(
                message=f"'{key.value}' is not the name of a variable that a shell can read",
                span=key.span,
                severity=Severity.ERROR if is_bad else Severity.WARNING,
                hint="use letters, digits and `_`",
            )


def _mappings(subject: Subject) -> Iterator[ComputedMapping | None]:
    yield subject.workflow.env
    for job in subject.jobs:
        yield job.env
    for found in subject.steps:
        yield found.step.env


RULE = Rule(
    code="env-name",
    severity=Severity.ERROR,
    summary="a variable with a name that no shell can read",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - env:
          BUILD MODE: release
        run: make
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - env:
          BUILD_MODE: release
        run: make
""",
    check=check,
    is_for_actions=True,
)
