"""The kinds of type; `Anything` is what nobody can know before the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Anything:
    """A value nothing is known about."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """Null, a boolean or a number."""

    kind: Literal["null", "boolean", "number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string. `values` are the only ones it can have, `prefix` is how it always starts.

    `is_fixed` says that GitHub fixes the values, and not this file; `label` names the value.
    """

    values: frozenset[str] | None = None
    prefix: str = ""
    is_fixed: bool = True
    label: str = ""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; `is_filtered` marks what `.*` gives, whose properties are taken of each item."""

    item: Type
    is_filtered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An object. Names of `members` are in lower case; `rest` is the type of all other members.

    Where `rest` is None, another name is a mistake, reported under the rule `code`; `label` names
    the object and `hint` says what to do.
    """

    members: Mapping[str, Type] = field(default_factory=dict)
    rest: Type | None = None
    code: str = "unknown-property"
    label: str = ""
    hint: str | None = None


Type: TypeAlias = "Anything | Scalar | Text | ListOf | Record"

ANY = Anything()
NULL = Scalar("null")
BOOLEAN = Scalar("boolean")
NUMBER = Scalar("number")
TEXT = Text()


def merge(types: Iterable[Type]) -> Type:
    """Return a type that every one of the types fits."""
    found = list(types)
    if not found:
        return ANY
    if all(isinstance(each, Text) for each in found):
        return _merge_texts([each for each in found if isinstance(each, Text)])
    if all(isinstance(each, Record) for each in found):
        return _merge_records([each for each in found if isinstance(each, Record)])
    return found[0] if all(each == found[0] for each in found) else ANY


def _merge_texts(texts: list[Text]) -> Text:
    if len(texts) == 1:
        return texts[0]
    values: set[str] = set()
    for text in texts:
        if text.values is None:
            return TEXT
        values |= text.values
    label = next((text.label for text in texts if text.label), "")
    return Text(values=frozenset(values), is_fixed=False, label=label)


def _merge_records(records: list[Record]) -> Record:
    names = {name: None for record in records for name in record.members}
    members = {
        name: merge(record.members[name] for record in records if name in record.members)
        for name in names
    }
    is_open = any(record.rest is not None for record in records)
    first = records[0]
    return Record(
        members=members,
        rest=ANY if is_open else None,
        code=first.code,
        label=first.label,
        hint=first.hint,
    )


def describe(kind: Type) -> str:
    """Return the type in words, as messages use it."""
    match kind:
        case Anything():
            return "anything"
        case Scalar(kind="null"):
            return "null"
        case Scalar(kind=name):
            return f"a {name}"
        case Text():
            return "a string"
        case ListOf():
            return "a list"
        case Record():
            return "an object"


def type_of_value(value: object) -> Type:
    """Return the type of a constant, or of what JSON holds."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, str):
        return TEXT
    if isinstance(value, list):
        return ListOf(merge([type_of_value(item) for item in value]))
    if isinstance(value, dict):
        members = {str(key).lower(): type_of_value(item) for key, item in value.items()}
        return Record(members=members, rest=ANY)
    return ANY
