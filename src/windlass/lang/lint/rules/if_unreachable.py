"""An `if` should be able to be true.

A condition that is false whatever the values are keeps the job or step from ever running. Reported
as a notice where it is the constant `false`, which is a usual way to switch something off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.expressions.syntax import Literal
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.places import condition_text, parse_expression
from windlass.lang.lint.rule import Rule
from windlass.lang.lint.truth import constant_truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.workflow.model import Condition


def check(subject: Subject) -> Iterator[Finding]:
    """Find conditions whose value is false without knowing any context."""
    for job in subject.workflow.jobs:
        yield from _check(job.condition, f"job `{job.id}`")
    for found in subject.steps:
        yield from _check(found.step.condition, "this step")


def _check(condition: Condition, what: str) -> Iterator[Finding]:
    if condition.source is None:
        return
    node = parse_expression(condition_text(condition.source))
    if node is None or constant_truth(node) is not False:
        return
    is_switch = isinstance(node, Literal) and node.value is False
    yield Finding(
        message=f"{what} never runs: `{condition.source.strip()}` is always false",
        span=condition.span,
        severity=Severity.NOTICE if is_switch else None,
        hint="delete it, or write the condition that is meant",
    )


RULE = Rule(
    code="if-unreachable",
    severity=Severity.WARNING,
    summary="an `if` that is false whatever happens",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - if: failure() && false
        run: echo hello
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - if: failure()
        run: echo hello
""",
    check=check,
    is_for_actions=True,
)
