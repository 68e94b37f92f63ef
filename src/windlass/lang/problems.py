"""The list of diagnostics that one reading collects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Diagnostic

if TYPE_CHECKING:
    from windlass.lang.positions import Span


class Problems:
    """Diagnostics in the order in which they were found."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def __bool__(self) -> bool:
        return bool(self.found)

    def add(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        """Record an error."""
        self.found.append(Diagnostic(code=code, message=message, span=span, hint=hint))
