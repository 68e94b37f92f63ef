"""Checks of `strategy:` that need no expression to be evaluated.

Source: actions/runner, WorkflowParser/Conversion/WorkflowTemplateConverter.cs (ConvertToStrategy)
and MatrixBuilder.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.tokens import MappingToken, SequenceToken, StringToken
from windlass.lang.workflow.expectations import holds_expression

if TYPE_CHECKING:
    from windlass.lang.problems import Problems
    from windlass.lang.tokens import Token


def check_strategy(problems: Problems, token: Token) -> None:
    """Record what is wrong with a matrix whose values are known."""
    matrix = token.find("matrix") if isinstance(token, MappingToken) else None
    if not isinstance(matrix, MappingToken):
        return
    has_vector = False
    for key, value in matrix.entries:
        name = key.value if isinstance(key, StringToken) else None
        if name == "include":
            has_vector |= _check_include(problems, value)
        elif name != "exclude":
            has_vector = True
            _check_vector(problems, name, value)
    if not has_vector:
        problems.add(
            "matrix-empty", "Matrix must define at least one vector", matrix.span, "Add a list."
        )


def _check_include(problems: Problems, value: Token) -> bool:
    """Return whether the list adds a combination, or may add one once it is evaluated."""
    if holds_expression(value) or not isinstance(value, SequenceToken):
        return True
    for item in value.items:
        if isinstance(item, MappingToken) and not item.entries:
            message = "Matrix include mapping does not contain any values"
            problems.add("matrix-include", message, item.span)
    return bool(value.items)


def _check_vector(problems: Problems, name: str | None, value: Token) -> None:
    if isinstance(value, SequenceToken) and not value.items:
        problems.add(
            "matrix-vector",
            f"Matrix vector '{name}' does not contain any values",
            value.span,
            "Give it a value, or remove the key.",
        )
