"""All rules, in the order of their codes."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from windlass.lang.lint.rule import Rule

CODES = (
    "action-inputs",
    "action-ref",
    "background-steps",
    "bad-cron",
    "bad-glob",
    "bad-timeout",
    "concurrency-queue",
    "deprecated-command",
    "dispatch-inputs",
    "env-name",
    "event-filters",
    "expression-type",
    "format-arguments",
    "hard-coded-password",
    "if-always-true",
    "if-unreachable",
    "impossible-comparison",
    "invalid-json",
    "matrix-values",
    "missing-file",
    "missing-local-action",
    "missing-script",
    "missing-steps",
    "outdated-action",
    "service-ports",
    "undeclared-secret",
    "unknown-input",
    "unknown-matrix-key",
    "unknown-need",
    "unknown-output",
    "unknown-property",
    "unknown-runner-label",
    "unknown-shell",
    "unknown-step",
    "unknown-timezone",
    "unset-output",
    "untrusted-input",
    "workflow-as-step",
)
"""The codes of the rules; each is the name of its file in `rules/`, with `_` for `-`."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule."""
    return tuple(_load(code) for code in CODES)


def _load(code: str) -> Rule:
    module = import_module(f"windlass.lang.lint.rules.{code.replace('-', '_')}")
    return cast("Rule", module.RULE)
