"""A label of `runs-on` should be one that some runner has.

A job waits for a day for a runner with all its labels and then fails. Labels of own runners are
fine together with `self-hosted`; a label that GitHub has retired, and labels of two systems in one
list, are errors.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.runner_labels import (
    HOSTED_LABELS,
    RETIRED_LABELS,
    SELF_HOSTED_LABELS,
    literal_labels,
    system_of,
)
from windlass.lang.tokens import SequenceToken, StringToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.workflow.model import Job


def check(subject: Subject) -> Iterator[Finding]:
    """Find labels that GitHub has retired or never had."""
    for job in subject.jobs:
        labels = literal_labels(job)
        names = {label.value.lower() for label in labels}
        is_own = "self-hosted" in names
        yield from _check_together(job)
        seen: set[tuple[int, int]] = set()
        for label in labels:
            place = (label.span.start.line, label.span.start.column)
            if place not in seen and not is_own:
                seen.add(place)
                yield from _check(label)


def _check_together(job: Job) -> Iterator[Finding]:
    """Find a list that wants one runner to have two systems."""
    labels = job.runs_on.items if isinstance(job.runs_on, SequenceToken) else ()
    first: StringToken | None = None
    for label in labels:
        system = system_of(label.value) if isinstance(label, StringToken) else None
        if system is None or not isinstance(label, StringToken):
            continue
        first = first or label
        if system != system_of(first.value):
            yield Finding(
                message=f"no runner has both `{first.value}` and `{label.value}`",
                span=label.span,
                severity=Severity.ERROR,
                hint="a job wants a runner with all labels; use a matrix to run on each of them",
            )


def _check(label: StringToken) -> Iterator[Finding]:
    name = label.value.lower()
    if name in RETIRED_LABELS:
        yield Finding(
            message=f"GitHub has retired the runner `{label.value}`; the job never starts",
            span=label.span,
            severity=Severity.ERROR,
            hint=f"use `{RETIRED_LABELS[name]}`",
        )
    elif name not in HOSTED_LABELS and name not in SELF_HOSTED_LABELS:
        near = difflib.get_close_matches(name, sorted(HOSTED_LABELS), n=1, cutoff=0.75)
        hint = f"did you mean `{near[0]}`?" if near else "own runners have `self-hosted` as well"
        yield Finding(
            message=f"no runner of GitHub has the label `{label.value}`", span=label.span, hint=hint
        )


RULE = Rule(
    code="unknown-runner-label",
    severity=Severity.WARNING,
    summary="a `runs-on` label that no runner of GitHub has",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-lastest
    steps:
      - run: make
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    check=check,
)
