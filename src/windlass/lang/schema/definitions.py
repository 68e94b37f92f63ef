"""The kinds of definition a schema is made of, and what an expression may use where one applies.

A definition says which values are allowed in a place. Names refer to other definitions of the same
schema. The kinds are those of GitHub's own template schema
(https://github.com/actions/languageservices, workflow-parser/src/templates/schema).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

UNLIMITED = 2**53 - 1
"""The most arguments of a function whose number of arguments is not limited."""


@dataclass(frozen=True, slots=True)
class FunctionRange:
    """A function that may be called in a place, with its least and greatest number of arguments."""

    name: str
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Availability:
    """The contexts and the extra functions that expressions in a place may use."""

    contexts: tuple[str, ...] = ()
    functions: tuple[FunctionRange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.contexts or self.functions)

    def joined(self, other: Availability) -> Availability:
        """Return what is available in a place nested in this one: both, without repetition."""
        if not other or other == self:
            return self
        names = {function.name.lower() for function in self.functions}
        known = {context.lower() for context in self.contexts}
        return Availability(
            self.contexts + tuple(c for c in other.contexts if c.lower() not in known),
            self.functions + tuple(f for f in other.functions if f.name.lower() not in names),
        )


NOTHING = Availability()
"""Where expressions are not allowed at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullDefinition:
    """Nothing: an empty value, `null` or `~`."""

    kind: ClassVar[str] = "null"
    available: Availability = NOTHING
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanDefinition:
    """`true` or `false`."""

    kind: ClassVar[str] = "boolean"
    available: Availability = NOTHING
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberDefinition:
    """A number."""

    kind: ClassVar[str] = "number"
    available: Availability = NOTHING
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StringDefinition:
    """A text; `constant` allows only that one, `require_non_empty` all but the empty one.

    Where `is_expression` is set, the whole text is an expression without `${{ }}`.
    """

    kind: ClassVar[str] = "string"
    available: Availability = NOTHING
    description: str = ""
    constant: str | None = None
    require_non_empty: bool = False
    is_expression: bool = False

    def accepts(self, text: str) -> bool:
        """Say whether the text is allowed."""
        if self.constant is not None:
            return self.constant == text
        return bool(text) or not self.require_non_empty


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceDefinition:
    """A list; every item is of the definition named `item`."""

    kind: ClassVar[str] = "sequence"
    item: str
    available: Availability = NOTHING
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A known key of a mapping; its value is of the definition named `type`."""

    type: str
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingDefinition:
    """A mapping with known keys, and any other key where `loose_key` and `loose_value` name one."""

    kind: ClassVar[str] = "mapping"
    available: Availability = NOTHING
    description: str = ""
    properties: Mapping[str, Property] = field(default_factory=dict)
    loose_key: str | None = None
    loose_value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOfDefinition:
    """A value of one of the definitions named in `types`."""

    kind: ClassVar[str] = "one-of"
    types: tuple[str, ...]
    available: Availability = NOTHING
    description: str = ""


ScalarDefinition: TypeAlias = (
    "NullDefinition | BooleanDefinition | NumberDefinition | StringDefinition"
)
Definition: TypeAlias = (
    "ScalarDefinition | SequenceDefinition | MappingDefinition | OneOfDefinition"
)
