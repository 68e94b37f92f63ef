"""The mistakes found while the type of one expression is inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.expressions.syntax import source_of
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.expressions.syntax import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A mistake in an expression; offsets are those of its text, `code` is the rule's."""

    code: str
    message: str
    start: int
    end: int
    severity: Severity = Severity.ERROR
    hint: str | None = None


class Problems:
    """The mistakes of one expression in the order in which they were found."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.found: list[Problem] = []

    def report(
        self,
        code: str,
        message: str,
        node: Node,
        *,
        severity: Severity = Severity.ERROR,
        hint: str | None = None,
    ) -> None:
        """Note a problem at a node."""
        problem = Problem(
            code=code,
            message=message,
            start=node.start,
            end=node.end,
            severity=severity,
            hint=hint,
        )
        self.found.append(problem)

    def source(self, node: Node) -> str:
        """Return a node as the user wrote it, in backticks."""
        return f"`{source_of(node, self._text).strip()}`"
