"""Examples of what a schema describes, put together from those of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIMPLE: Final[Mapping[str, Any]] = {
    "string": "",
    "integer": 1,
    "number": 1.5,
    "boolean": False,
    "null": None,
}


def find_example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Return something that a schema describes; `schemas` are those it may refer to."""
    if "$ref" in schema:
        return find_example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    if "enum" in schema or "const" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if "anyOf" in schema:
        return find_example(schema["anyOf"][0], schemas)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: find_example(it, schemas) for name, it in properties.items()}
        case "array":
            return [find_example(schema.get("items", {}), schemas)]
        case kind:
            return _SIMPLE[str(kind)]
