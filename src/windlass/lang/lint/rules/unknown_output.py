"""An output must be declared by the job, the local action or the reusable workflow it is read from.

A name that is not declared gives null, which becomes an empty string without any error. Outputs of
JavaScript and Docker actions are not checked: they may set more than they declare.
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
    code="unknown-output",
    severity=Severity.ERROR,
    summary="a job, a local action or a called workflow has no such output",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      image: ${{ steps.tag.outputs.image }}
    steps:
      - id: tag
        run: echo "image=app:1" >> "$GITHUB_OUTPUT"
  deploy:
    runs-on: ubuntu-latest
    needs: build
    steps:
      - run: echo ${{ needs.build.outputs.img }}
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    outputs:
      image: ${{ steps.tag.outputs.image }}
    steps:
      - id: tag
        run: echo "image=app:1" >> "$GITHUB_OUTPUT"
  deploy:
    runs-on: ubuntu-latest
    needs: build
    steps:
      - run: echo ${{ needs.build.outputs.image }}
""",
    check=check,
    is_for_actions=True,
)
