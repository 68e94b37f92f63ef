"""A mapping of which only some members are known."""

from __future__ import annotations

from typing import Any

from windlass.lang.expressions import UNKNOWN, CaseSensitive


class OpenMapping(CaseSensitive):
    """A mapping of which only some members are known: any other is UNKNOWN, not null."""

    __slots__ = ()

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002 (a mapping has it)
        """Return the value under a key, or UNKNOWN."""
        return super().get(key, UNKNOWN)
