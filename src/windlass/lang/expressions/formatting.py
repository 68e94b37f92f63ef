"""The function `format('… {0} …', value)`.

Source: @actions/expressions src/funcs/format.ts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from windlass.lang.expressions.faults import evaluation_error
from windlass.lang.expressions.memory import joined
from windlass.lang.expressions.values import to_text


def format_text(template: Any, *arguments: Any) -> str:
    """Replace `{0}`, `{1}` … by the arguments as text; `{{` and `}}` stand for braces.

    Raises FaultError for a stray brace or a number without an argument, whichever comes first, and
    MemoryExceeded.
    """
    text = to_text(template)
    parts: list[str] = []
    for part in _split(text):
        if isinstance(part, str):
            parts.append(part)
        elif part is None:
            raise evaluation_error(f"The following format string is invalid: {text}")
        elif part >= len(arguments):
            raise evaluation_error(
                "The following format string references more arguments than were supplied: " + text
            )
        else:
            parts.append(to_text(arguments[part]))
    return joined(parts)


@lru_cache(maxsize=512)
def _split(template: str) -> tuple[str | int | None, ...]:
    """Return the texts and argument numbers of a template; None stands for a stray brace."""
    parts: list[str | int | None] = []
    position = 0
    for found in _placeholder().finditer(template):
        if found.start() > position:
            parts.append(template[position : found.start()])
        position = found.end()
        symbol, number = found[0], found["number"]
        if number is not None:
            parts.append(int(number.lstrip("0")[:9] or "0"))
        else:
            parts.append(symbol[0] if len(symbol) == 2 else None)
    parts.append(template[position:])
    return tuple(parts)


@lru_cache(maxsize=1)
def _placeholder() -> re.Pattern[str]:
    return re.compile(r"\{\{|\}\}|\{(?P<number>[0-9]+)[^}]*\}|[{}]")
