"""An `if` must be one expression; text outside `${{ }}` makes it a text, and a text is true.

GitHub joins `${{ a }} && b` to one string such as `false && b`, which is not empty and so counts as
true. The same goes for a string constant, and for a line break after `${{ }}` in a block (`|`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.expressions.syntax import Literal, Logical, Node
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.places import condition_text, parse_expression
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.workflow.model import Condition

_BRACES = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)


def check(subject: Subject) -> Iterator[Finding]:
    """Find conditions that are a text and not an expression."""
    for job in subject.workflow.jobs:
        yield from _check(job.condition)
    for found in subject.steps:
        yield from _check(found.step.condition)


def _check(condition: Condition) -> Iterator[Finding]:
    source = condition.source
    if source is None:
        return
    if _BRACES.search(source) and _has_text_outside(condition, source):
        yield Finding(
            message="this `if` is always true: there is text outside of `${{ }}` in "
            f"`{source.strip()}`",
            span=condition.span,
            hint="write the whole condition as one expression, without `${{ }}` or all inside it",
        )
        return
    node = parse_expression(condition_text(source))
    text = _deciding_text(node) if node is not None else None
    if text is not None:
        yield Finding(
            message=f"this `if` is always true: '{text}' is a text that is not empty",
            span=condition.span,
            hint="write the whole comparison again, or an expression without quotes around it",
        )


def _deciding_text(node: Node) -> str | None:
    """Return the text constant that makes a condition true."""
    if isinstance(node, Literal) and isinstance(node.value, str) and node.value:
        return node.value
    if isinstance(node, Logical) and node.operator == "||":
        return next((text for text in map(_deciding_text, node.operands) if text), None)
    return None


def _has_text_outside(condition: Condition, source: str) -> bool:
    outside = _BRACES.sub("", source)
    if outside.strip():
        return True
    return len(_BRACES.findall(source)) > 1 or (bool(outside) and "format(" in condition.expression)


RULE = Rule(
    code="if-always-true",
    severity=Severity.ERROR,
    summary="an `if` that is true whatever happens",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - if: ${{ github.ref == 'refs/heads/main' }} && success()
        run: echo hello
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - if: github.ref == 'refs/heads/main' && success()
        run: echo hello
""",
    check=check,
    is_for_actions=True,
)
