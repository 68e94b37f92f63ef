"""Some old versions of GitHub's actions no longer work: their service or their Node is gone.

`upload-artifact` and `download-artifact` up to v3 and `cache` up to v2 are refused by GitHub.
Actions whose version runs on Node 12 are a warning: they are forced onto a newer Node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.known_actions import find_outdated
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find versions that GitHub refuses or forces onto another Node."""
    for _, step in subject.action_steps:
        outdated = find_outdated(step.uses.value)
        if outdated is not None:
            yield Finding(
                message=f"`{step.uses.value}` {outdated.reason}",
                span=step.uses.span,
                severity=None if outdated.is_refused else Severity.WARNING,
                hint=f"use {outdated.replacement}",
            )


RULE = Rule(
    code="outdated-action",
    severity=Severity.ERROR,
    summary="a version of an action that no longer works",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/upload-artifact@v3
        with:
          path: dist
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/upload-artifact@v4
        with:
          path: dist
""",
    check=check,
    is_for_actions=True,
)
