"""A schema: named definitions, the looking-up of them, and places in a file that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.schema.definitions import (
    UNLIMITED,
    Availability,
    BooleanDefinition,
    FunctionRange,
    MappingDefinition,
    NullDefinition,
    NumberDefinition,
    OneOfDefinition,
    SequenceDefinition,
    StringDefinition,
)
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.schema.definitions import Definition, ScalarDefinition


def built_in_definitions() -> dict[str, Definition]:
    """Return the definitions every schema has."""
    return {
        "null": NullDefinition(),
        "boolean": BooleanDefinition(),
        "number": NumberDefinition(),
        "string": StringDefinition(),
        "sequence": SequenceDefinition(item="any"),
        "mapping": MappingDefinition(loose_key="string", loose_value="any"),
        "any": OneOfDefinition(
            types=("null", "boolean", "number", "string", "sequence", "mapping")
        ),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """Definitions by name, and the places made from them (kept, since they recur)."""

    definitions: Mapping[str, Definition]
    _places: dict[tuple[str, Availability], Place] = field(default_factory=dict, init=False)

    def place(self, name: str, outside: Availability) -> Place:
        """Return the place that the definition `name` describes within a surrounding place.

        `outside` is what expressions may use in the surrounding place; it stays available inside.
        """
        key = (name, outside)
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = self._make_place(name, outside)
        return found

    def _make_place(self, name: str, outside: Availability) -> Place:
        definition = self.definitions[name]
        direct = self._alternatives(definition)
        return Place(
            schema=self,
            name=name,
            available=outside.joined(definition.available),
            scalars=tuple(self._scalars(definition)),
            sequence=next((d for d in direct if isinstance(d, SequenceDefinition)), None),
            mappings=tuple(d for d in direct if isinstance(d, MappingDefinition)),
        )

    def _alternatives(self, definition: Definition) -> list[Definition]:
        if isinstance(definition, OneOfDefinition):
            return [self.definitions[name] for name in definition.types]
        return [definition]

    def _scalars(self, definition: Definition) -> list[ScalarDefinition]:
        if isinstance(definition, OneOfDefinition):
            nested = (self._scalars(self.definitions[name]) for name in definition.types)
            return [scalar for scalars in nested for scalar in scalars]
        if isinstance(definition, (SequenceDefinition, MappingDefinition)):
            return []
        return [definition]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A place in a file: what may stand there, and what expressions there may use."""

    schema: Schema
    name: str
    available: Availability
    scalars: tuple[ScalarDefinition, ...]
    sequence: SequenceDefinition | None
    mappings: tuple[MappingDefinition, ...]
    _inside: dict[str, Place] = field(default_factory=dict, init=False)

    def inside(self, name: str) -> Place:
        """Return the place of a value within this one."""
        found = self._inside.get(name)
        if found is None:
            found = self._inside[name] = self.schema.place(name, self.available)
        return found


def available(*items: str) -> Availability:
    """Read GitHub's notation: context names, and functions such as `success(0,MAX)`."""
    contexts = []
    functions = []
    for item in items:
        name, parenthesis, arguments = item.partition("(")
        if parenthesis:
            functions.append(_function_range(name, arguments.rstrip(")")))
        else:
            contexts.append(name)
    return Availability(tuple(contexts), tuple(functions))


def _function_range(name: str, arguments: str) -> FunctionRange:
    least, greatest = arguments.split(",")
    return FunctionRange(name, int(least), UNLIMITED if greatest == "MAX" else int(greatest))
