"""The lines of `windlass run --json` as a JSON Schema, made from the events themselves.

Source: https://json-schema.org/draft/2020-12/schema
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, get_args, get_type_hints

from windlass.model.status import Result
from windlass.model.values import fields
from windlass.protocol import events

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_RESULT: Final = {"enum": [str(result) for result in Result]}
_SCHEMAS: Final[dict[object, dict[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Result: _RESULT,
    Mapping[str, str]: {"type": "object", "additionalProperties": {"type": "string"}},
}
_NAMES: Final[dict[str, Any]] = {"Mapping": Mapping, "Result": Result}
"""What the annotations of the events speak of, and only type checkers import there."""

_TIME: Final = {
    "type": "number",
    "description": "When it was told, in seconds since the epoch (UTC).",
}
_PLACE: Final[dict[str, Any]] = {
    "path": {"type": "string"},
    "line": {"type": "integer", "minimum": 1},
    "column": {"type": "integer", "minimum": 1},
    "end_line": {"type": "integer", "minimum": 1},
    "end_column": {"type": "integer", "minimum": 1},
}
_DIAGNOSTIC: Final[dict[str, Any]] = {
    "description": "What is wrong with a workflow or with the call, or is worth knowing about it.",
    "properties": {
        "code": {"type": "string"},
        "severity": {"enum": ["error", "warning", "notice"]},
        "message": {"type": "string"},
        **_PLACE,
        "related": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"message": {"type": "string"}, **_PLACE},
                "required": ["message", *_PLACE],
            },
        },
        "hint": {"type": ["string", "null"]},
    },
    "required": ["code", "severity", "message", "related", "hint"],
    "dependentRequired": {name: [*_PLACE] for name in _PLACE},
}


def describe_events() -> dict[str, Any]:
    """Return the schema of one line; fields that it does not know are allowed, for they may come.

    Each kind of event has a definition under its name.
    """
    kinds = {kind.event: _describe(kind) for kind in get_args(events.RunEvent)}
    kinds["diagnostic"] = _complete("diagnostic", _DIAGNOSTIC)
    return {
        "$schema": DRAFT,
        "$id": f"urn:windlass:events:{events.PROTOCOL_VERSION}",
        "title": "A line of `windlass run --json`",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds],
        "$defs": kinds,
    }


def _describe(kind: Any) -> dict[str, Any]:
    """Return what an event holds besides its name and its time."""
    types = get_type_hints(kind, localns=_NAMES)
    names = [field.name for field in fields(kind)]
    schema = {
        "description": " ".join(inspect.cleandoc(kind.__doc__).split()),
        "properties": {name: _describe_type(types[name]) for name in names},
        "required": names,
    }
    return _complete(kind.event, schema)


def _complete(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Add what all events have in common."""
    return {
        **schema,
        "type": "object",
        "properties": {"event": {"const": name}, "time": _TIME, **schema["properties"]},
        "required": ["event", "time", *schema["required"]],
    }


def _describe_type(type_: object) -> dict[str, Any]:
    if type_ in _SCHEMAS:
        return _SCHEMAS[type_]
    return {"anyOf": [_SCHEMAS[part] for part in get_args(type_)]}
