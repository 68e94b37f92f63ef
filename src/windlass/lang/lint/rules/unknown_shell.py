"""A `shell` is one of the runner's names or a command with `{0}` for the script's file.

The names are `bash`, `sh`, `python`, `pwsh`, `powershell` and `cmd`. Windows PowerShell and cmd are
on Windows runners only. Anything else without `{0}` fails the step.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.runner_labels import literal_labels, system_of
from windlass.lang.tokens import StringToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import Job

_NAMES = ("bash", "sh", "python", "pwsh", "powershell", "cmd")
_KNOWN = ", ".join(_NAMES)


def check(subject: Subject) -> Iterator[Finding]:
    """Find shells that cannot be started, in steps and defaults."""
    if subject.workflow.defaults is not None:
        yield from _check(subject.workflow.defaults.shell, None)
    for job in subject.jobs:
        if job.defaults is not None:
            yield from _check(job.defaults.shell, job)
    for found, step in subject.run_steps:
        yield from _check(step.shell, found.job)


def _check(shell: Token | None, job: Job | None) -> Iterator[Finding]:
    if not isinstance(shell, StringToken):
        return
    name = shell.value.strip()
    if "{0}" not in name and name.lower() not in _NAMES:
        near = difflib.get_close_matches(name.lower(), _NAMES, n=1)
        yield Finding(
            message=f"unknown shell `{name}`: it is not {_KNOWN} nor a command with `{{0}}`",
            span=shell.span,
            hint=f"did you mean `{near[0]}`?" if near else "add `{0}` where the script's file goes",
        )
    elif name.lower() in ("powershell", "cmd") and job is not None and _is_linux(job):
        yield Finding(
            message=f"the shell `{name}` is on Windows runners only, and job `{job.id}` has none",
            span=shell.span,
            hint="use `pwsh` or `bash`",
        )


def _is_linux(job: Job) -> bool:
    systems = {system_of(label.value) for label in literal_labels(job)}
    return bool(systems) and systems <= {"linux", "macos"}


RULE = Rule(
    code="unknown-shell",
    severity=Severity.ERROR,
    summary="a `shell` the runner does not know",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
        shell: bahs
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
        shell: bash
""",
    check=check,
    is_for_actions=True,
)
