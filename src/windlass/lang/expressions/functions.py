"""The functions every expression may call.

Sources: @actions/expressions src/funcs/, actions/runner src/Sdk/Expressions/Sdk/Functions/, and
https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#functions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.lang.casing import fold
from windlass.lang.expressions.comparison import is_equal
from windlass.lang.expressions.formatting import format_text
from windlass.lang.expressions.json_text import from_json, to_json
from windlass.lang.expressions.memory import joined
from windlass.lang.expressions.values import is_primitive, to_text
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """How many arguments a function takes; `maximum` None is any number."""

    minimum: int
    maximum: int | None
    only_odd: bool = False


BUILT_IN = {
    "case": FunctionInfo(3, None, only_odd=True),
    "contains": FunctionInfo(2, 2),
    "endsWith": FunctionInfo(2, 2),
    "format": FunctionInfo(1, 255),
    "fromJson": FunctionInfo(1, 1),
    "join": FunctionInfo(1, 2),
    "startsWith": FunctionInfo(2, 2),
    "toJson": FunctionInfo(1, 1),
}


def contains(searched: Any, item: Any) -> bool:
    """Tell whether a string holds another, without case, or a list holds an equal item."""
    if isinstance(searched, list | tuple):
        return any(is_equal(item, candidate) for candidate in searched)
    if not (is_primitive(searched) and is_primitive(item)):
        return False
    return fold(to_text(item)) in fold(to_text(searched))


def starts_with(searched: Any, prefix: Any) -> bool:
    """Tell whether a text begins with another, without case."""
    if not (is_primitive(searched) and is_primitive(prefix)):
        return False
    return fold(to_text(searched)).startswith(fold(to_text(prefix)))


def ends_with(searched: Any, suffix: Any) -> bool:
    """Tell whether a text ends with another, without case."""
    if not (is_primitive(searched) and is_primitive(suffix)):
        return False
    return fold(to_text(searched)).endswith(fold(to_text(suffix)))


def join(items: Any, separator: Any = ",") -> str:
    """Return the items of a list as one text; a separator that is a collection is ignored."""
    if isinstance(items, list | tuple):
        between = to_text(separator) if is_primitive(separator) else ","
        parts = [part for item in items for part in (between, to_text(item))]
        return joined(parts[1:])
    return to_text(items) if is_primitive(items) else ""


IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {
    "contains": contains,
    "endsWith": ends_with,
    "format": format_text,
    "fromJson": from_json,
    "join": join,
    "startsWith": starts_with,
    "toJson": to_json,
}
"""By name, all but `case`, which evaluates only the arguments it needs."""
