"""An output of a `run` step must be set by its script, in the file `$GITHUB_OUTPUT`.

Reported is an output of a script that never mentions `GITHUB_OUTPUT` and calls no other program
that could write to it by name, and one whose name a script that writes all its outputs with `echo`
or `printf` never mentions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.expressions.references import references
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.places import steps_of
from windlass.lang.lint.rule import Rule
from windlass.lang.lint.scripts import sets_output
from windlass.lang.workflow.model import Job, RunStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find `steps.ID.outputs.NAME` where the script of ID does not set NAME."""
    for use in subject.expressions:
        job = use.place.job
        if not isinstance(job, Job):
            continue
        scripts = {p.step.id.lower(): p.step for p in steps_of(job) if isinstance(p.step, RunStep)}
        for found in references(use.node):
            if len(found.path) < 4 or found.path[0] != "steps" or found.path[2] != "outputs":
                continue
            step = scripts.get((found.path[1] or "").lower())
            name = found.path[3]
            if step is not None and name not in (None, "*") and not sets_output(step, name or ""):
                yield Finding(
                    message=f"the script of step `{step.id}` never sets the output `{name}`",
                    span=use.span(found.start, found.end),
                    hint=f'echo "{name}=…" >> "$GITHUB_OUTPUT"',
                )


RULE = Rule(
    code="unset-output",
    severity=Severity.WARNING,
    summary="a step's output is read that its script never sets",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: version
        run: echo "number=1.2.3"
      - run: echo ${{ steps.version.outputs.number }}
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: version
        run: echo "number=1.2.3" >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.version.outputs.number }}
""",
    check=check,
    is_for_actions=True,
)
