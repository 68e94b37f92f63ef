"""Values of expressions as JSON, and back.

Numbers are floats for expressions, whoever wrote them. JSON has neither NaN nor infinities: an
object with the one member `$number` stands for them, and one with `$object` for an object that
could be taken for either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from windlass.lang.expressions import Value

_NUMBER: Final = "$number"
_OBJECT: Final = "$object"


def encode_value(value: Value) -> Any:
    """Return a value as data of JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        return {_NUMBER: repr(value)}
    if isinstance(value, Mapping):
        members = {name: encode_value(it) for name, it in value.items()}
        return {_OBJECT: members} if _is_marked(members) else members
    return [encode_value(it) for it in value] if isinstance(value, list | tuple) else value


def decode_value(data: Any) -> Any:
    """Return the value that `encode_value` was given.

    Raises:
        ValueError: what stands for a number is none.
    """
    if isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if isinstance(data, dict):
        if _is_marked(data):
            ((mark, inner),) = data.items()
            return float(inner) if mark == _NUMBER else _decode_members(inner)
        return _decode_members(data)
    return [decode_value(it) for it in data] if isinstance(data, list) else data


def _decode_members(data: dict[str, Any]) -> dict[str, Any]:
    return {name: decode_value(it) for name, it in data.items()}


def _is_marked(members: Mapping[str, Any]) -> bool:
    return len(members) == 1 and (_NUMBER in members or _OBJECT in members)
