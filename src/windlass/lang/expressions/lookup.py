"""`a.b`, `a['b']`, `a[0]` and `a.*`: looking into lists and mappings.

Source: actions/runner src/Sdk/Expressions/Sdk/Operators/Index.cs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from windlass.lang.casing import fold
from windlass.lang.expressions.values import (
    CaseSensitive,
    FilteredList,
    is_primitive,
    to_number,
    to_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING: Any = object()
"""Stands for a key that is not there, which a filter drops and anything else turns into null."""


def find_member(mapping: Mapping[str, Any], name: str) -> Any:
    """Return the value under a key: the exact one first, else the first that differs only in case.

    Returns MISSING where there is none.
    """
    found = mapping.get(name, MISSING)
    if found is not MISSING or isinstance(mapping, CaseSensitive):
        return found
    folded, length = fold(name), len(name)
    for key in mapping:
        if len(key) == length and fold(key) == folded:
            return mapping[key]
    return MISSING


def look_up(target: Any, key: Any) -> Any:
    """Return `target[key]`; null where the target has no such member or is no collection."""
    if isinstance(target, FilteredList):
        found = (_find(item, key) for item in target)
        return FilteredList(item for item in found if item is not MISSING)
    found_one = _find(target, key)
    return None if found_one is MISSING else found_one


def _find(target: Any, key: Any) -> Any:
    if type(target) is dict and type(key) is str:
        return find_member(target, key)
    if isinstance(target, Mapping):
        return find_member(target, to_text(key)) if is_primitive(key) else MISSING
    if isinstance(target, list | tuple):
        return _find_item(target, key)
    return MISSING


def _find_item(items: Sequence[Any], key: Any) -> Any:
    index = to_number(key)
    if not 0 <= index < len(items):  # NaN is not in the range either
        return MISSING
    return items[math.floor(index)]


def expand(target: Any) -> FilteredList:
    """Return `target.*`: the items of a list or the values of a mapping, else nothing."""
    if isinstance(target, FilteredList):
        return FilteredList(inner for item in target for inner in _members(item))
    return FilteredList(_members(target))


def _members(target: Any) -> Any:
    if isinstance(target, Mapping):
        return target.values()
    if isinstance(target, list | tuple):
        return target
    return ()
