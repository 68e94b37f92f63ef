"""The list of diagnostics that one reading collects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from windlass.lang.positions import Span


class Problems:
    """Diagnostics in the order in which they were found."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    @property
    def has_error(self) -> bool:
        """Whether any of them keeps the file from being used."""
        return any(problem.severity is Severity.ERROR for problem in self.found)

    def add(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        """Record an error."""
        self.found.append(Diagnostic(code=code, message=message, span=span, hint=hint))

    def warn(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        """Record what GitHub's editor refuses and its server accepts."""
        self.found.append(
            Diagnostic(code=code, message=message, severity=Severity.WARNING, span=span, hint=hint)
        )
