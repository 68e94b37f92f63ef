"""Problems that ShellCheck finds in the scripts of `run` steps.

[ShellCheck](https://www.shellcheck.net) reads shell scripts and knows a few hundred mistakes. Every
script for `bash` or `sh` is given to it, with the characters of `${{ }}` replaced by underscores.
Without a `shell`, a step on Windows runs in PowerShell, so it is left out.
Findings keep ShellCheck's number; its errors and warnings are warnings here, the rest are notices.
If no `shellcheck` program is installed, scripts are not looked into, and `windlass lint` says so.

A script can switch a check off by itself: `# shellcheck disable=SC2086`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.lang.diagnostics import Diagnostic, Severity
from windlass.lang.lint.places import literal_text, steps_of
from windlass.lang.lint.scripts import script_text
from windlass.lang.lint.source import Source
from windlass.lang.runner_labels import literal_labels
from windlass.lang.workflow.model import Job, RunStep
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.positions import Span
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import RunDefaults, Workflow

Dialect: TypeAlias = Literal["bash", "sh"]
CODE = "shellcheck"
EXCLUDED = (1091, 2043, 2050, 2153, 2154, 2157, 2164, 2194)
"""Checks set off by what a script cannot show: the placeholders of expressions, the variables of
`env`, and that the runner starts shells with `-e`, so that a failing `cd` ends the script."""


@dataclass(frozen=True, slots=True)
class Script:
    """One script to be checked, and its file, to find the places of what is found."""

    text: str
    dialect: Dialect
    span: Span
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What ShellCheck says about one place; lines and columns of the script count from 1."""

    number: int
    level: str
    message: str
    line: int
    column: int
    end_column: int


def scripts_of(workflow: Workflow, text: str) -> Iterator[Script]:
    """Yield the scripts of a workflow that run in `bash` or `sh`; `text` is the file's."""
    source = Source(text)
    for job in workflow.jobs:
        if not isinstance(job, Job):
            continue
        unnamed: Dialect | None = None if _may_run_on_windows(job) else "bash"
        for step in (place.step for place in steps_of(job)):
            if isinstance(step, RunStep):
                shell = step.shell or _default_shell(job.defaults, workflow.defaults)
                dialect = unnamed if shell is None else _dialect(shell)
                if dialect is not None:
                    yield Script(script_text(step.run), dialect, step.run.span, source)


def _default_shell(*defaults: RunDefaults | None) -> Token | None:
    return next((each.shell for each in defaults if each is not None and each.shell), None)


def _may_run_on_windows(job: Job) -> bool:
    """Tell whether a script without `shell` may be PowerShell; names of large runners count."""
    return any("windows" in label.value.lower() for label in literal_labels(job))


def _dialect(shell: Token) -> Dialect | None:
    words = (literal_text(shell) or "").split()
    name = words[0] if words else ""
    return "bash" if name == "bash" else ("sh" if name == "sh" else None)


def to_diagnostic(script: Script, remark: Remark) -> Diagnostic:
    """Return a remark as a finding in the workflow's file."""
    lines = script.text.split("\n")
    before = sum(len(line) + 1 for line in lines[: remark.line - 1])
    start = before + remark.column - 1
    is_warning = remark.level in ("error", "warning")
    return Diagnostic(
        code=CODE,
        message=f"SC{remark.number}: {remark.message}",
        severity=Severity.WARNING if is_warning else Severity.NOTICE,
        span=script.source.span(script.span, script.text, start, before + remark.end_column - 1),
        hint=f"https://www.shellcheck.net/wiki/SC{remark.number}",
    )
