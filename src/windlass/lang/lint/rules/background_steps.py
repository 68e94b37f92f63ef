"""`wait` and `cancel` are for steps with `background: true`.

Another step has ended before the next one starts, so that there is nothing to wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.workflow.model import CancelStep, WaitStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.tokens import StringToken
    from windlass.lang.workflow.model import Job, Step


def check(subject: Subject) -> Iterator[Finding]:
    """Find targets that are no background step."""
    for job in subject.jobs:
        places = [found for found in subject.steps if found.job is job]
        known = {found.step.id.lower(): found.step for found in places}
        for found in places:
            for target in _targets(found.step):
                step = known.get(target.value.lower())
                if step is not None and not step.background and not _is_parallel(job, step):
                    yield Finding(
                        message=f"step `{target.value}` does not run in the background",
                        span=target.span,
                        hint="add `background: true` to it, or delete this",
                    )


def _targets(step: Step) -> tuple[StringToken, ...]:
    if isinstance(step, WaitStep):
        return step.targets
    return (step.target,) if isinstance(step, CancelStep) else ()


def _is_parallel(job: Job, step: Step) -> bool:
    """Say whether the step stands inside `parallel`, where every step is a background step."""
    return step not in job.steps


RULE = Rule(
    code="background-steps",
    severity=Severity.WARNING,
    summary="waiting for a step that does not run in the background",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: server
        run: ./serve
      - wait: server
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: server
        run: ./serve
        background: true
      - wait: server
""",
    check=check,
)
