"""Comparisons, functions and texts must get values of a type they can use.

Reported are comparisons that have the same outcome whatever the values are (a boolean with the
string `'true'`, an object with a string), objects where a string is made of them (the text becomes
`Object`), members of a string, and arguments that a function cannot use.
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
    code="expression-type",
    severity=Severity.ERROR,
    summary="a value of this type cannot be used this way",
    text=__doc__ or "",
    before="""\
on:
  workflow_dispatch:
    inputs:
      dry-run:
        type: boolean
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - if: inputs.dry-run == 'true'
        run: echo nothing is published
""",
    after="""\
on:
  workflow_dispatch:
    inputs:
      dry-run:
        type: boolean
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - if: inputs.dry-run
        run: echo nothing is published
""",
    check=check,
    is_for_actions=True,
)
