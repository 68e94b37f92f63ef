"""The values of expressions, which are plain Python data, and how they convert.

Source: actions/runner src/Sdk/Expressions/EvaluationResult.cs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from windlass.lang.expressions.numbers import as_double, format_number, parse_number

if TYPE_CHECKING:
    from collections.abc import Mapping

Value: TypeAlias = "bool | int | float | str | list[Any] | Mapping[str, Any] | None"
"""What an expression can be: exactly what `json.loads` returns."""

Kind = Literal["Null", "Boolean", "Number", "String", "Array", "Object"]


class CaseSensitive(dict[str, Any]):
    """A mapping whose keys are looked up as written, as `env` is outside Windows."""

    __slots__ = ()


class FilteredList(list[Any]):
    """What `.*` yields: an index after it applies to every item instead of to the list."""

    __slots__ = ()


class Unknown:
    """A value that depends on a result still to come; only `UNKNOWN` itself leaves this package.

    `truthiness` is set where the value is open but whether it counts as true is not:
    `needs.a.outputs.b && false` is never true.
    """

    __slots__ = ("truthiness",)

    def __init__(self, *, truthiness: bool | None = None) -> None:
        self.truthiness = truthiness

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()

_KINDS: dict[type, Kind] = {
    type(None): "Null",
    bool: "Boolean",
    int: "Number",
    float: "Number",
    str: "String",
    list: "Array",
    FilteredList: "Array",
    tuple: "Array",
    dict: "Object",
    CaseSensitive: "Object",
}
_BASES: tuple[tuple[type, Kind], ...] = (
    (bool, "Boolean"),
    (str, "String"),
    (int, "Number"),
    (float, "Number"),
    (list, "Array"),
    (tuple, "Array"),
)


def kind_of(value: object) -> Kind:
    """Return GitHub's name for the kind of a value; what is no plain data counts as an object."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    return next((name for base, name in _BASES if isinstance(value, base)), "Object")


def is_truthy(value: object) -> bool:
    """Tell whether a value counts as true: all do but null, false, 0, NaN and ''."""
    kind = type(value)
    if kind is bool or kind is str:
        return bool(value)
    if kind_of(value) in ("Array", "Object"):
        return True
    is_nan = value != value
    return bool(value) and not is_nan


def to_text(value: object) -> str:
    """Return a value as text: null is '', a list is 'Array', a mapping is 'Object'."""
    if type(value) is str:
        return value
    match kind_of(value):
        case "String":
            return str.__str__(value)
        case "Number":
            return format_number(value)  # type: ignore[arg-type]
        case "Boolean":
            return "true" if value else "false"
        case "Null":
            return ""
        case kind:
            return kind


def to_number(value: object) -> float:
    """Return a value as a number: null is 0, true is 1, lists and mappings are NaN."""
    match kind_of(value):
        case "Number":
            return as_double(value)  # type: ignore[arg-type]
        case "String":
            return parse_number(value)  # type: ignore[arg-type]
        case "Boolean":
            return 1.0 if value else 0.0
        case "Null":
            return 0.0
        case _:
            return math.nan


def is_primitive(value: object) -> bool:
    """Tell whether a value is neither a list nor a mapping."""
    return kind_of(value) not in ("Array", "Object")
