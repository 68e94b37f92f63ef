"""The patterns of `branches`, `tags` and `paths` must be able to match.

Branches and tags are matched by their names without `refs/heads/`, paths from the repository's root
without `./`; files are matched, so `docs/` alone matches nothing. A list whose patterns all begin
with `!` lets nothing through: the exceptions have nothing to be taken from. Use `branches-ignore`,
`tags-ignore` or `paths-ignore` for that. An exception before the first pattern without `!` is a
warning: it takes nothing away, since later patterns decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.patterns import PatternKind, check_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.workflow.model import EventFilter, Pattern


def check(subject: Subject) -> Iterator[Finding]:
    """Find patterns with wrong syntax and lists that let nothing through."""
    for event in subject.workflow.triggers.events.values():
        for key, kind, patterns in _lists(event):
            for pattern in patterns:
                message = check_pattern(pattern.text, kind)
                if message is not None:
                    yield Finding(
                        message=f"bad pattern '{pattern.text}': {message}", span=pattern.span
                    )
            yield from _check_exceptions(key, patterns)


def _check_exceptions(key: str, patterns: tuple[Pattern, ...]) -> Iterator[Finding]:
    first = next((n for n, one in enumerate(patterns) if not one.text.startswith("!")), None)
    if patterns and first is None:
        yield Finding(
            message=f"`{key}` has patterns with `!` only, so it lets nothing through",
            span=patterns[0].span,
            hint=f"use `{key}-ignore` without `!`, or begin the list with `'**'`",
        )
    for pattern in patterns[:first] if first is not None else ():
        yield Finding(
            message=f"'{pattern.text}' takes nothing away: no pattern without `!` stands before it",
            span=pattern.span,
            severity=Severity.WARNING,
            hint="write it after the pattern from which it is an exception",
        )


def _lists(event: EventFilter) -> Iterator[tuple[str, PatternKind, tuple[Pattern, ...]]]:
    yield "branches", "ref", event.branches or ()
    yield "tags", "ref", event.tags or ()
    yield "paths", "path", event.paths or ()
    for ignored in (event.branches_ignore, event.tags_ignore):
        yield "", "ref", tuple(p for p in ignored or () if not p.text.startswith("!"))
    yield "", "path", tuple(p for p in event.paths_ignore or () if not p.text.startswith("!"))


RULE = Rule(
    code="bad-glob",
    severity=Severity.ERROR,
    summary="a filter pattern that GitHub refuses or that never matches",
    text=__doc__ or "",
    before="""\
on:
  push:
    paths:
      - ./src/**
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    after="""\
on:
  push:
    paths:
      - src/**
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    check=check,
)
