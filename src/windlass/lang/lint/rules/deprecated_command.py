"""Scripts should write to `$GITHUB_OUTPUT`, `$GITHUB_STATE`, `$GITHUB_ENV` and `$GITHUB_PATH`.

`::set-output` and `::save-state` are deprecated. `::set-env` and `::add-path` fail the step, since
text of others printed by a program could set variables with them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.lint.scripts import script_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject


_COMMAND = re.compile(r"::(set-output|save-state|set-env|add-path)\b[^:\n]*::")
_FILES = {
    "set-output": "GITHUB_OUTPUT",
    "save-state": "GITHUB_STATE",
    "set-env": "GITHUB_ENV",
    "add-path": "GITHUB_PATH",
}


def check(subject: Subject) -> Iterator[Finding]:
    """Find the four commands in scripts."""
    for _, step in subject.run_steps:
        text = script_text(step.run)
        for found in _COMMAND.finditer(text):
            command = found[1]
            fails = command in ("set-env", "add-path")
            outcome = "fails the step" if fails else "is deprecated"
            yield Finding(
                message=f"the command `::{command}::` {outcome}",
                span=subject.span_in_script(step.run, found.start(), found.end()),
                severity=Severity.ERROR if fails else None,
                hint=f'append to the file "${_FILES[command]}" instead',
            )


RULE = Rule(
    code="deprecated-command",
    severity=Severity.WARNING,
    summary="a script uses a runner command that GitHub has given up",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: version
        run: echo "::set-output name=number::1.2.3"
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: version
        run: echo "number=1.2.3" >> "$GITHUB_OUTPUT"
""",
    check=check,
    is_for_actions=True,
)
