"""A local action must be there: a folder with `action.yml`, `action.yaml` or a `Dockerfile`.

`./path` is looked up in the workspace, so that the repository must have been checked out before;
`$/path` is looked up in the commit of the workflow. Jobs that check out to another path or from
another repository are not checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.checkout import has_own_tree, is_checked_out
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.repository import local_path
from windlass.lang.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find local actions that are not in the repository or not yet in the workspace."""
    for found, step in subject.action_steps:
        uses = step.uses.value
        path = local_path(uses)
        if path is None or "@" in uses or "/.github/workflows/" in uses:
            continue
        is_workspace = uses.startswith("./")
        if is_workspace and not has_own_tree(found.job):
            continue
        if not subject.repository.has_action_file(path):
            yield Finding(
                message=f"there is no action in `{uses}`: no action.yml, action.yaml or Dockerfile",
                span=step.uses.span,
                hint=f"the path is taken from the repository's root: `{path}/action.yml`",
            )
        elif is_workspace and not is_checked_out(found):
            yield Finding(
                message=f"`{uses}` is not in the workspace: no step before checks it out",
                span=step.uses.span,
                hint="put `uses: actions/checkout` before it, or write `$/` instead of `./`",
            )


RULE = Rule(
    code="missing-local-action",
    severity=Severity.ERROR,
    summary="`uses: ./path` names a folder without an action",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/actions/greeet
        with:
          who: you
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/actions/greet
        with:
          who: you
""",
    check=check,
    files={
        ".github/actions/greet/action.yml": """\
name: greet
description: Greets somebody
inputs:
  who:
    description: Who is greeted
    required: true
runs:
  using: composite
  steps:
    - run: echo hello
      shell: bash
""",
    },
)
