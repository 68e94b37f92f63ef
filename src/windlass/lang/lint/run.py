"""Lints one file: reads it and runs every rule over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.action import read_action
from windlass.lang.action.model import CompositeRuns
from windlass.lang.lint.catalogue import all_rules
from windlass.lang.lint.composite import as_workflow, is_action
from windlass.lang.lint.ignoring import without_ignored
from windlass.lang.lint.subject import Subject
from windlass.lang.workflow import read_workflow
from windlass.lang.workflow.model import CallJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.diagnostics import Diagnostic
    from windlass.lang.lint.repository import Repository
    from windlass.lang.workflow.model import Workflow


def lint_file(path: str, content: bytes, repository: Repository) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a workflow or, by the file's name, with an action."""
    if is_action(path):
        return lint_action(path, content, repository)
    return lint_workflow(path, content, repository)


def lint_workflow(path: str, content: bytes, repository: Repository) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a workflow file, in the order of the file.

    `path` is relative to the repository's root. What keeps the file from being read comes first in
    importance: a rule says nothing about a line in which the reader found something.
    """
    return lint_text(path, content, repository)[1]


def lint_text(
    path: str, content: bytes, repository: Repository
) -> tuple[Workflow | None, tuple[Diagnostic, ...]]:
    """Return the workflow, as far as it could be read, and what is wrong with it."""
    text = content.decode("utf-8", "replace")
    reading = repository.read_workflow(path, content)
    found = list(reading.diagnostics)
    if reading.workflow is not None:
        found += _check_calls(reading.workflow, content, repository)
        lines = {_line(finding) for finding in found}
        rules = _run_rules(Subject(reading.workflow, repository, text))
        found += (finding for finding in rules if _line(finding) not in lines)
    kept = without_ignored(found, text)
    return reading.workflow, tuple(sorted(kept, key=_place))


def lint_action(path: str, content: bytes, repository: Repository) -> tuple[Diagnostic, ...]:
    """Return what is wrong with an `action.yml`; the steps of a composite action are checked."""
    text = content.decode("utf-8", "replace")
    reading = read_action(path, content)
    found = list(reading.diagnostics)
    if reading.action is not None and isinstance(reading.action.runs, CompositeRuns):
        subject = Subject(as_workflow(reading.action, reading.action.runs), repository, text)
        for rule in all_rules():
            if rule.is_for_actions:
                found += rule.run(subject)
    return tuple(sorted(without_ignored(found, text), key=_place))


def _check_calls(
    workflow: Workflow, content: bytes, repository: Repository
) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the calls of reusable workflows, which the reader follows."""
    calls = any(isinstance(job, CallJob) for job in workflow.jobs)
    if not calls or not repository.is_known:
        return ()
    reading = read_workflow(workflow.path, content, resolve=repository.files.read)
    return reading.diagnostics


def _run_rules(subject: Subject) -> Iterator[Diagnostic]:
    for rule in all_rules():
        yield from rule.run(subject)


def _line(finding: Diagnostic) -> int:
    return finding.span.start.line if finding.span is not None else 0


def _place(finding: Diagnostic) -> tuple[int, int, str]:
    column = finding.span.start.column if finding.span is not None else 0
    return _line(finding), column, finding.code
