"""An event has either `branches` or `branches-ignore`, and the same for `tags` and `paths`.

GitHub refuses a workflow with both; use `!` patterns in one list instead. A `workflow_run` trigger
without `workflows` never starts, and neither does one that names no workflow of the repository.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.repository import Repository
    from windlass.lang.lint.subject import Subject
    from windlass.lang.workflow.model import EventFilter, Pattern


_GLOB = frozenset("*?+[]!")


def check(subject: Subject) -> Iterator[Finding]:
    """Find pairs of filters that may not stand together."""
    for event in subject.workflow.triggers.events.values():
        for name, only, ignored in _pairs(event):
            if only is not None and ignored is not None:
                yield Finding(
                    message=f"`{event.name}` has both `{name}` and `{name}-ignore`",
                    span=(ignored or only)[0].span if ignored or only else event.span,
                    hint=f"use `{name}` with `!` patterns for the exceptions",
                )
        if event.name == "workflow_run" and not event.workflows:
            yield Finding(
                message="`workflow_run` without `workflows` never starts",
                span=event.span,
                hint="name the workflows under `workflows`",
            )
        yield from _check_names(event, subject.repository)


def _check_names(event: EventFilter, repository: Repository) -> Iterator[Finding]:
    if event.name != "workflow_run":
        return
    names = repository.workflow_names
    if not names:
        return
    for pattern in event.workflows or ():
        if pattern.text not in names and not _GLOB & set(pattern.text):
            near = difflib.get_close_matches(pattern.text, sorted(names), n=1)
            yield Finding(
                message=f"no workflow of the repository has the name '{pattern.text}'",
                span=pattern.span,
                severity=Severity.WARNING,
                hint=f"did you mean '{near[0]}'?" if near else "the name is that of its `name:`",
            )


def _pairs(
    event: EventFilter,
) -> Iterator[tuple[str, tuple[Pattern, ...] | None, tuple[Pattern, ...] | None]]:
    yield "branches", event.branches, event.branches_ignore
    yield "tags", event.tags, event.tags_ignore
    yield "paths", event.paths, event.paths_ignore


RULE = Rule(
    code="event-filters",
    severity=Severity.ERROR,
    summary="filters of an event that exclude each other",
    text=__doc__ or "",
    before="""\
on:
  push:
    branches: [main]
    branches-ignore: [wip/**]
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    after="""\
on:
  push:
    branches: [main, '!wip/**']
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    check=check,
)
