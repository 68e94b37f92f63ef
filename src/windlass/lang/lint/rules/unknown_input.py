"""An `inputs.NAME` must be declared under `workflow_dispatch` or `workflow_call`.

A name that is not declared gives null, which becomes an empty string without any error. Where the
workflow has neither trigger, `inputs` is always empty.
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
    code="unknown-input",
    severity=Severity.ERROR,
    summary="`inputs.NAME` is not declared",
    text=__doc__ or "",
    before="""\
on:
  workflow_dispatch:
    inputs:
      version:
        type: string
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ inputs.verion }}
""",
    after="""\
on:
  workflow_dispatch:
    inputs:
      version:
        type: string
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ inputs.version }}
""",
    check=check,
    is_for_actions=True,
)
