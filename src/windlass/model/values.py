"""Dataclasses that cost little to define, for the many values of the core.

For each `@dataclass(frozen=True, slots=True)` the standard library compiles six methods, which is
half a millisecond; at 200 classes that was a third of the time until a run's first step, and to
import `dataclasses` takes longer than to start Python. Here a class gets its slots when it is
defined and its `__init__` when the first value of it is made; the other methods are shared. To a
type checker all names are those of `dataclasses`, and it is the type checker that keeps frozen
values from being written to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from dataclasses import dataclass, field, fields, replace
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> Any:
        """Stand in for `dataclasses.dataclass`; every class has slots."""
        return _define(cls, **options) if cls is not None else lambda it: _define(it, **options)

    def field(**options: Any) -> Any:
        """Stand in for `dataclasses.field`."""
        return _Field(**options)

    def fields(it: Any) -> tuple[_Field, ...]:
        """Return the fields of a class or of a value, those of base classes first."""
        return it.__dataclass_fields__.all

    def replace(value: Any, /, **changes: Any) -> Any:
        """Return a copy of a value with some of its fields changed."""
        kept = {it.name: getattr(value, it.name) for it in fields(value) if it.init}
        return type(value)(**{**kept, **changes})


__all__ = ["dataclass", "field", "fields", "replace"]

_MISSING: Any = object()
_LEFT_TO_PYTHON = ("__dict__", "__weakref__")


class _Field:
    """One field of a class, and what was said of it; see `dataclasses.field`."""

    __slots__ = ("compare", "default", "default_factory", "init", "kw_only", "name", "repr")

    def __init__(
        self,
        *,
        default: Any = _MISSING,
        default_factory: Any = _MISSING,
        init: bool = True,
        repr: bool = True,  # noqa: A002 (its name in the standard library)
        compare: bool = True,
    ) -> None:
        self.name = ""
        self.kw_only = False
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr
        self.compare = compare

    def describe(self) -> dict[str, Any]:
        """Return what was said of the field, by the names of the options of `field`."""
        names = ("default", "default_factory", "init", "repr", "compare")
        said = {name: getattr(self, name) for name in names}
        return {name: value for name, value in said.items() if value is not _MISSING}


class _Fields:
    """All fields of a class, those of base classes first."""

    __slots__ = ("_compared", "all")

    def __init__(self, every: Iterable[_Field]) -> None:
        self.all = tuple(every)
        self._compared: tuple[str, ...] | None = None

    @property
    def compared(self) -> tuple[str, ...]:
        """The names of those by which values are compared."""
        if self._compared is None:
            self._compared = tuple(it.name for it in self.all if it.compare)
        return self._compared

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return the fields with their names, for others' tools as `values` is."""
        return [(it.name, it) for it in self.values()]

    def values(self) -> Iterable[Any]:
        """Return the fields as `dataclasses` has them, for others' tools that ask for these."""
        import dataclasses

        made = [(it.name, object, dataclasses.field(**it.describe())) for it in self.all]
        # `kw_only`, for a field with a default may then stand before one without.
        standard: Any = dataclasses.make_dataclass("Standard", made, kw_only=True)
        return list(standard.__dataclass_fields__.values())


def _define(
    cls: Any,
    *,
    frozen: bool = False,
    eq: bool = True,
    order: bool = False,
    kw_only: bool = False,
    slots: bool = True,  # noqa: ARG001 (what the type checker needs to be told)
) -> Any:
    own = _list_own(cls, kw_only=kw_only)
    every = _Fields(
        (*(it for base in cls.__bases__ for it in _list_inherited(base)), *own.values())
    )
    space = {name: it for name, it in cls.__dict__.items() if name not in own}
    for name in _LEFT_TO_PYTHON:
        space.pop(name, None)
    space |= {
        "__slots__": tuple(own),
        "__match_args__": tuple(it.name for it in every.all if it.init and not it.kw_only),
        "__dataclass_fields__": every,
        "__init__": _init_first,
        "__repr__": _show,
    }
    if eq:
        space |= {"__eq__": _are_equal, "__hash__": _hash if frozen else None}
    if order:
        space |= {"__lt__": _is_less, "__le__": _is_at_most}
    made = type(cls)(cls.__name__, cls.__bases__, space)
    made.__qualname__ = cls.__qualname__
    return made


def _list_own(cls: type, *, kw_only: bool) -> dict[str, _Field]:
    """Return the fields that a class declares itself, by name."""
    own = {}
    for name, kind in cls.__annotations__.items():
        if not kind.startswith("ClassVar"):
            given = cls.__dict__.get(name, _MISSING)
            if type(given).__module__ == "dataclasses":
                raise TypeError(
                    f"{cls.__name__}.{name} is not declared by the field of this module"
                )
            it = own[name] = given if isinstance(given, _Field) else _Field(default=given)
            it.name, it.kw_only = name, kw_only
    return own


def _list_inherited(base: Any) -> tuple[_Field, ...]:
    fields_of_base = getattr(base, "__dataclass_fields__", None)
    return fields_of_base.all if fields_of_base is not None else ()


# What follows become methods of every class.


def _init_first(self: Any, *values: object, **named: object) -> None:
    """Stand in for `__init__` until it is called for the first time."""
    owner: Any = next(it for it in type(self).__mro__ if "__dataclass_fields__" in vars(it))
    owner.__init__ = _compile_init(owner)
    owner.__init__(self, *values, **named)


def _compile_init(cls: Any) -> Callable[..., None]:
    """Return an `__init__` that takes the fields of a class, as fast as one written by hand."""
    space: dict[str, Any] = {"MISSING": _MISSING}
    positional, named, lines = ["self"], ["*"], ["pass"]
    for it in cls.__dataclass_fields__.all:
        argument = value = it.name
        if it.default_factory is not _MISSING:
            space[f"make_{it.name}"] = it.default_factory
            value = f"make_{it.name}()"
            if it.init:
                argument, value = (
                    f"{it.name}=MISSING",
                    f"{value} if {it.name} is MISSING else {it.name}",
                )
        elif it.default is not _MISSING:
            space[f"default_{it.name}"] = it.default
            argument = f"{it.name}=default_{it.name}"
        if it.init:
            (named if it.kw_only else positional).append(argument)
        lines.append(f"self.{it.name} = {value}")
    arguments = ", ".join([*positional, *named] if named[1:] else positional)
    text = f"def __init__({arguments}) -> None:\n    " + "\n    ".join(lines)
    exec(text, space)  # noqa: S102 (made of the names of fields alone, as the standard library does)
    made: Callable[..., None] = space["__init__"]
    return made


def _show(self: Any) -> str:
    shown = ", ".join(f"{it.name}={getattr(self, it.name)!r}" for it in fields(self) if it.repr)
    return f"{type(self).__qualname__}({shown})"


def _key(value: Any) -> tuple[object, ...]:
    return tuple([getattr(value, name) for name in value.__dataclass_fields__.compared])


def _are_equal(self: object, other: object) -> Any:
    return _key(self) == _key(other) if type(self) is type(other) else NotImplemented


def _is_less(self: object, other: object) -> Any:
    return _key(self) < _key(other) if type(self) is type(other) else NotImplemented


def _is_at_most(self: object, other: object) -> Any:
    return _key(self) <= _key(other) if type(self) is type(other) else NotImplemented


def _hash(self: object) -> int:
    return hash(_key(self))
