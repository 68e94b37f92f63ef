"""A reusable workflow that declares secrets should declare every secret it reads.

A caller that passes secrets by name can pass declared ones only, so that the secret is empty
unless every caller says `secrets: inherit`.
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
    code="undeclared-secret",
    severity=Severity.WARNING,
    summary="a reusable workflow reads a secret that it does not declare",
    text=__doc__ or "",
    before="""\
on:
  workflow_call:
    secrets:
      REGISTRY_TOKEN:
        required: true
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - env:
          TOKEN: ${{ secrets.REGISTRY_TOKE }}
        run: echo hello
""",
    after="""\
on:
  workflow_call:
    secrets:
      REGISTRY_TOKEN:
        required: true
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - env:
          TOKEN: ${{ secrets.REGISTRY_TOKEN }}
        run: echo hello
""",
    check=check,
)
