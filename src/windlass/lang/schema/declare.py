"""The words in which a schema is declared: short makers of definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.schema.definitions import (
    NOTHING,
    MappingDefinition,
    OneOfDefinition,
    Property,
    SequenceDefinition,
    StringDefinition,
)

if TYPE_CHECKING:
    from windlass.lang.schema.definitions import Availability, Definition


def key(type_name: str, description: str = "", *, required: bool = False) -> Property:
    """Declare a known key of a mapping."""
    return Property(type=type_name, required=required, description=description)


def keys(
    properties: dict[str, Property], *, available: Availability = NOTHING
) -> MappingDefinition:
    """Declare a mapping with known keys only."""
    return MappingDefinition(properties=properties, available=available)


def entries(
    key_type: str, value_type: str, *, available: Availability = NOTHING
) -> MappingDefinition:
    """Declare a mapping whose keys the user chooses."""
    return MappingDefinition(loose_key=key_type, loose_value=value_type, available=available)


def items(type_name: str) -> SequenceDefinition:
    """Declare a list."""
    return SequenceDefinition(item=type_name)


def text(
    *, available: Availability = NOTHING, non_empty: bool = False, constant: str | None = None
) -> StringDefinition:
    """Declare a text."""
    return StringDefinition(available=available, require_non_empty=non_empty, constant=constant)


def either(*types: str, available: Availability = NOTHING) -> OneOfDefinition:
    """Declare a choice between definitions."""
    return OneOfDefinition(types=types, available=available)


def choice(name: str, *values: str) -> dict[str, Definition]:
    """Declare one of a few fixed texts: the choice and a definition for each text."""
    constants: dict[str, Definition] = {f"{name}-{value}": text(constant=value) for value in values}
    return {name: OneOfDefinition(types=tuple(constants)), **constants}
