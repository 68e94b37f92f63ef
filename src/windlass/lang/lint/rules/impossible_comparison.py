"""A comparison with a text should be able to have both outcomes.

Results are `success`, `failure`, `cancelled` or `skipped`; `github.ref` starts with `refs/`;
`runner.os` is `Linux`, `Windows` or `macOS`. Another text makes the comparison the same for ever.
It is a warning where this file and not GitHub fixes the values: the events under `on`, the values
of a matrix, the options of an input.
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
    code="impossible-comparison",
    severity=Severity.ERROR,
    summary="a value is compared with a text that it never is",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: make test
  notify:
    runs-on: ubuntu-latest
    needs: test
    if: always() && needs.test.result == 'failed'
    steps:
      - run: echo failed
""",
    after="""\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: make test
  notify:
    runs-on: ubuntu-latest
    needs: test
    if: always() && needs.test.result == 'failure'
    steps:
      - run: echo failed
""",
    check=check,
    is_for_actions=True,
)
