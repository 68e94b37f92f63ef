"""Dataclasses that cost little to define, for the many frozen values of the core.

For each `@dataclass(frozen=True, slots=True)` the standard library compiles six methods, which is
half a millisecond; at 150 classes that was a third of the time until a run's first step. Here
only `__init__` is compiled, and the other methods are shared functions. To a type checker this is
the standard decorator, and it is the type checker that keeps frozen values from being written to.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> Any:
        """Stand in for `dataclasses.dataclass` with the options used here; see the module."""
        return _define(cls, options) if cls is not None else lambda it: _define(it, options)


__all__ = ["dataclass"]


def _define(cls: Any, options: dict[str, bool]) -> Any:
    is_compared = options.get("eq", True)
    if not options.get("frozen", False) or options.get("order", False):
        return dataclasses.dataclass(**options)(cls)
    if cls.__doc__ is None:
        cls.__doc__ = ""  # else the standard library works out a signature to put there
    cheap = {**options, "frozen": False, "eq": False, "repr": False}
    made: Any = dataclasses.dataclass(**cheap)(cls)
    fields = dataclasses.fields(made)
    made.__repr__ = _make_repr(tuple(it.name for it in fields if it.repr))
    if is_compared:
        made.__eq__, made.__hash__ = _make_comparison(tuple(it.name for it in fields if it.compare))
    return made


def _make_repr(names: tuple[str, ...]) -> Callable[[object], str]:
    def __repr__(self: object) -> str:  # noqa: N807
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"

    return __repr__


def _make_comparison(
    names: tuple[str, ...],
) -> tuple[Callable[[object, object], bool], Callable[[object], int]]:
    def key(self: object) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in names])

    def __eq__(self: object, other: object) -> bool:  # noqa: N807
        return key(self) == key(other) if type(self) is type(other) else NotImplemented

    def __hash__(self: object) -> int:  # noqa: N807
        return hash(key(self))

    return __eq__, __hash__
