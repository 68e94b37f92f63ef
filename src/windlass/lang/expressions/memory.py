"""How much text an expression may make, counted as the runner does.

Sources: actions/runner src/Sdk/Expressions/Sdk/MemoryCounter.cs, EvaluationContext.cs (1 MiB where
nothing else is said) and PipelineTemplateEvaluator.cs (10 MiB for the values of a workflow).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAXIMUM_MEMORY = 10 * 1024 * 1024
"""Bytes of text a workflow's expression may hold at once."""

DEFAULT_MEMORY = 1024 * 1024
"""Bytes of text an expression on its own may hold at once."""

_STRING_OVERHEAD = 26
_BYTES_A_CHARACTER = 2


class MemoryExceeded(Exception):  # noqa: N818 (a limit reached; becomes a Fault in this package)
    """A call would hold more text than allowed."""


def size_of(values: Iterable[object]) -> int:
    """Return the bytes that the strings among the values take."""
    size = 0
    for value in values:
        if isinstance(value, str):
            size += _STRING_OVERHEAD + _BYTES_A_CHARACTER * len(value)
    return size


def joined(parts: list[str]) -> str:
    """Join texts, unless they would be larger than any expression may be.

    Raises MemoryExceeded.
    """
    if _BYTES_A_CHARACTER * sum(map(len, parts)) > MAXIMUM_MEMORY:
        raise MemoryExceeded
    return "".join(parts)
