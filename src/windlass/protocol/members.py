"""Reading the members of a JSON object that somebody else has written, each as what it must be.

What is not known is left out: a newer version may have written it. What is missing, or of another
kind, is an error that names the member, says what it is and what it should be.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from windlass.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

_KINDS: Final[dict[type, str]] = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}
_LONGEST_SHOWN: Final = 60
_HINT: Final = "whoever wrote it is of another version of Windlass, or is not Windlass"
_MISSING: Final = object()


def read_object(text: str | bytes, name: str) -> dict[str, Any]:
    """Return the members of a JSON object; `name` says what it is, for errors.

    Raises:
        InputError: the text is no JSON object.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refuse(f"{name} is no JSON: {error}") from error
    return as_object(value, name)


def take(
    values: Mapping[str, Any],
    member: str,
    read: Callable[[Any, str], T],
    name: str,
    default: Any = _MISSING,
) -> T:
    """Return a member as `read` understands it; the default stands for one that is not there.

    Raises:
        InputError: it is missing and has no default, or it is not what it must be.
    """
    value = values.get(member, default)
    if value is _MISSING:
        raise refuse(f"{name} has no '{member}'")
    return value if value is default else read(value, f"'{member}' of {name}")


def as_object(value: Any, name: str) -> dict[str, Any]:
    """Return an object. Raises InputError, as all of these do."""
    if isinstance(value, dict):
        return value
    raise _describe(value, name, "an object")


def as_text(value: Any, name: str) -> str:
    """Return a string."""
    if isinstance(value, str):
        return value
    raise _describe(value, name, "a string")


def as_flag(value: Any, name: str) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    raise _describe(value, name, "true or false")


def as_count(value: Any, name: str) -> int:
    """Return a whole number that is not negative."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _describe(value, name, "a whole number from 0 on")


def as_list(value: Any, name: str) -> tuple[Any, ...]:
    """Return an array."""
    if isinstance(value, list):
        return tuple(value)
    raise _describe(value, name, "an array")


def as_texts(value: Any, name: str) -> tuple[str, ...]:
    """Return an array of strings."""
    return tuple(as_text(it, f"an item of {name}") for it in as_list(value, name))


def as_objects(value: Any, name: str) -> tuple[dict[str, Any], ...]:
    """Return an array of objects."""
    return tuple(as_object(it, f"an item of {name}") for it in as_list(value, name))


def as_text_by_name(value: Any, name: str) -> dict[str, str]:
    """Return an object of strings. A value that is wrong is not shown: it may be a secret."""
    members = as_object(value, name)
    for member, text in members.items():
        if not isinstance(text, str):
            raise refuse(f"'{member}' in {name} is {_kind(text)}; a string was expected")
    return members


def or_none(read: Callable[[Any, str], T]) -> Callable[[Any, str], T | None]:
    """Return what reads null too."""
    return lambda value, name: None if value is None else read(value, name)


def refuse(message: str, hint: str = _HINT) -> InputError:
    """Return the error for something that cannot be understood."""
    return InputError(message, hint=hint)


def _describe(value: Any, name: str, expected: str) -> InputError:
    shown = _kind(value)
    if isinstance(value, int | float) and len(repr(value)) <= _LONGEST_SHOWN:
        shown = json.dumps(value)
    return refuse(f"{name} is {shown}; {expected} was expected")


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "something else")
