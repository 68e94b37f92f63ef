"""`==`, `<` and their kin over values of any two kinds.

Source: actions/runner src/Sdk/Expressions/EvaluationResult.cs (AbstractEqual, CoerceTypes): much
like ECMAScript's `==`, but strings compare without case and objects never become primitives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.casing import equals_ignoring_case, sort_key
from windlass.lang.expressions.values import kind_of, to_number

if TYPE_CHECKING:
    from collections.abc import Callable

_COLLECTIONS = ("Array", "Object")


def is_equal(left: object, right: object) -> bool:
    """Tell whether `left == right` holds."""
    if type(left) is str and type(right) is str:
        return equals_ignoring_case(left, right)
    if type(left) is bool and type(right) is bool:
        return left is right
    left_kind, right_kind = kind_of(left), kind_of(right)
    if left_kind == right_kind:
        if left_kind == "String":
            return equals_ignoring_case(str(left), str(right))
        if left_kind in _COLLECTIONS:
            return left is right
    elif left_kind in _COLLECTIONS or right_kind in _COLLECTIONS:
        return False
    return to_number(left) == to_number(right)


def is_less(left: object, right: object) -> bool:
    """Tell whether `left < right` holds; nothing is less than a list, a mapping or NaN."""
    left_kind, right_kind = kind_of(left), kind_of(right)
    if left_kind == right_kind == "String":
        return sort_key(str(left)) < sort_key(str(right))
    if left_kind in _COLLECTIONS or right_kind in _COLLECTIONS:
        return False
    return to_number(left) < to_number(right)


def is_different(left: object, right: object) -> bool:
    """Tell whether `left != right` holds: exactly where `==` does not."""
    return not is_equal(left, right)


def is_greater(left: object, right: object) -> bool:
    """Tell whether `left > right` holds."""
    return is_less(right, left)


def is_at_most(left: object, right: object) -> bool:
    """Tell whether `left <= right` holds: `null <= null` does although `null < null` does not."""
    return is_equal(left, right) or is_less(left, right)


def is_at_least(left: object, right: object) -> bool:
    """Tell whether `left >= right` holds."""
    return is_equal(left, right) or is_less(right, left)


COMPARISONS: dict[str, Callable[[object, object], bool]] = {
    "==": is_equal,
    "!=": is_different,
    "<": is_less,
    "<=": is_at_most,
    ">": is_greater,
    ">=": is_at_least,
}
