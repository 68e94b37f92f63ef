"""Finds what is wrong with a workflow before GitHub does: one rule a file in `rules/`."""

from windlass.lang.lint.catalogue import all_rules
from windlass.lang.lint.repository import Files, NoFiles, Repository
from windlass.lang.lint.rule import Rule
from windlass.lang.lint.run import lint_action, lint_file, lint_text, lint_workflow

__all__ = [
    "Files",
    "NoFiles",
    "Repository",
    "Rule",
    "all_rules",
    "lint_action",
    "lint_file",
    "lint_text",
    "lint_workflow",
]
