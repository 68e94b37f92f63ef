"""A `uses` of an image or of a local action must name one.

An image is `docker://name:tag` or `docker://name@sha256:…`, in lower case. A local action is
`./path` or `$/path`: it is taken from a commit of this repository, so that it has no `@ref`.
References to other repositories are checked when the file is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


_IMAGE = re.compile(r"docker://[a-z0-9][\w.\-/:]*(@sha256:[0-9a-f]{64})?")


def check(subject: Subject) -> Iterator[Finding]:
    """Find `uses` values of no known form."""
    for _, step in subject.action_steps:
        message = _problem(step.uses.value)
        if message is not None:
            yield Finding(
                message=f"`{step.uses.value}` {message}",
                span=step.uses.span,
                hint="write `./path`, `$/path` or `docker://image:tag`",
            )


def _problem(uses: str) -> str | None:
    if uses.startswith("docker://"):
        is_image = _IMAGE.fullmatch(uses) and not uses.endswith((":", "/"))
        return None if is_image else "names no image that Docker would accept"
    if uses.startswith(("./", "$/")):
        return "has a ref, which local actions cannot have" if "@" in uses else None
    if uses.startswith("../"):
        return "leaves the repository"
    return None


RULE = Rule(
    code="action-ref",
    severity=Severity.ERROR,
    summary="a `uses` that names no image or local action",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker://Alpine:3.20
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker://alpine:3.20
""",
    check=check,
    is_for_actions=True,
)
