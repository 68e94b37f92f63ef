"""A `matrix.KEY` must be a key of `strategy.matrix` or of one of its `include` entries.

Another key gives null, which becomes an empty string without any error. A matrix made by an
expression is not checked.
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
    code="unknown-matrix-key",
    severity=Severity.ERROR,
    summary="`matrix.KEY` is not a key of the job's matrix",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ['3.11', '3.12']
    steps:
      - run: echo ${{ matrix.pyhton }}
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ['3.11', '3.12']
    steps:
      - run: echo ${{ matrix.python }}
""",
    check=check,
)
