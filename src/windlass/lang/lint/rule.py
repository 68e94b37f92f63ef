"""What a rule is: a code, a severity, its documentation and a function that finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from windlass.lang.diagnostics import Diagnostic, Severity
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from windlass.lang.lint.finding import Finding
    from windlass.lang.lint.subject import Subject


Check: TypeAlias = "Callable[[Subject], Iterator[Finding]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `text` says what it looks at and why, in Markdown.

    `before` is a workflow in which the rule finds something and no other rule does, `after` the
    same one put right; `files` are the other files of the repository that both need.
    `is_for_actions` says that the steps of composite actions are checked as well.
    """

    code: str
    severity: Severity
    summary: str
    text: str
    before: str
    after: str
    check: Check
    files: Mapping[str, str] = field(default_factory=dict)
    is_for_actions: bool = False

    def run(self, subject: Subject) -> Iterator[Diagnostic]:
        """Yield what the rule finds in one workflow."""
        for finding in self.check(subject):
            yield Diagnostic(
                code=self.code,
                message=finding.message,
                severity=finding.severity or self.severity,
                span=finding.span,
                hint=finding.hint,
            )
