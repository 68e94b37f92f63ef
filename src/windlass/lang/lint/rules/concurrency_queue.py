"""A concurrency group either queues all runs (`queue: max`) or cancels the one in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.tokens import BooleanToken, MappingToken, StringToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.tokens import Token


def check(subject: Subject) -> Iterator[Finding]:
    """Find groups of the workflow and of jobs that say both."""
    groups: list[Token | None] = [subject.workflow.concurrency]
    groups += [job.concurrency for job in subject.workflow.jobs]
    for group in groups:
        if not isinstance(group, MappingToken):
            continue
        queue, cancel = group.find("queue"), group.find("cancel-in-progress")
        is_max = isinstance(queue, StringToken) and queue.value.lower() == "max"
        if is_max and isinstance(cancel, BooleanToken) and cancel.value:
            yield Finding(
                message="`queue: max` cannot stand with `cancel-in-progress: true`",
                span=cancel.span,
                hint="delete one of them",
            )


RULE = Rule(
    code="concurrency-queue",
    severity=Severity.ERROR,
    summary="`queue: max` together with `cancel-in-progress: true`",
    text=__doc__ or "",
    before="""\
on: push
concurrency:
  group: deploy
  queue: max
  cancel-in-progress: true
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    after="""\
on: push
concurrency:
  group: deploy
  queue: max
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    check=check,
)
