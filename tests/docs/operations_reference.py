"""Lays out docs/reference/operations.md from the catalogue, and from the commands for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from windlass.operations.hosted.catalogue import CATALOGUE
from windlass.server.problems import KINDS
from windlass.server.rest.openapi import PREFIX, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HEAD = """\
# Operations of a server

Generated from the catalogue; `./dev docs` rewrites it. What holds for all of them, such as errors,
pages and requests that may be sent again, is on [the page of the API](api.md).

What an operation changes: `read` nothing, `write` what the server keeps, `deploy` what runs may do
in the world.
"""

_ANY = ("usage", "unauthenticated", "invalid", "internal", "platform")


def lay_out_operations() -> str:
    """The whole page, in the order of the catalogue."""
    document = describe(CATALOGUE, "")
    entries = {
        entry["operationId"]: entry
        for methods in document["paths"].values()
        for entry in methods.values()
    }
    schemas = document["components"]["schemas"]
    sections: list[str] = [HEAD]
    for operation in CATALOGUE:
        entry = entries[operation.name]
        sections.append(f"## {operation.name}\n\n{entry['description']}\n")
        sections.append(f"`{operation.call.method} {PREFIX}{operation.call.path}`\n")
        sections += lay_out_given(entry, schemas)
        sections.append(
            f"Effect: `{operation.effect}`. Permission: `{operation.permission}`. "
            f"{describe_answer(entry, operation.status)} {describe_errors(operation.errors)}\n"
        )
    sections.append("# Models\n")
    for name, schema in sorted(schemas.items()):
        if name != "Problem" and not is_given(name):
            sections += lay_out_model(name, schema)
    return "\n".join(sections).rstrip() + "\n"


def is_given(name: str) -> bool:
    """Whether a model is shown with its operation."""
    return any(operation.call.given.__name__ == name for operation in CATALOGUE)


def lay_out_given(entry: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (it["name"], it["in"], it["schema"], it["description"], it["required"])
        for it in entry["parameters"]
        if it["in"] != "header"
    ]
    if "requestBody" in entry:
        schema = entry["requestBody"]["content"]["application/json"]["schema"]
        body = schemas[schema["$ref"].rpartition("/")[2]]
        required = body.get("required", [])
        rows += [
            (name, "body", it, it.get("description", ""), name in required)
            for name, it in body["properties"].items()
        ]
    if rows:
        lines = [
            f"| `{name}` | {place} | {name_type(it)} | {meaning(it, text, needed=needed)} |\n"
            for name, place, it, text, needed in rows
        ]
        yield "| given | in | type | meaning |\n|---|---|---|---|\n" + "".join(lines)


def lay_out_model(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}\n\n{schema['description']}\n"
    lines = [
        f"| `{field}` | {name_type(it)} | {meaning(it, it.get('description', ''))} |\n"
        for field, it in schema["properties"].items()
    ]
    yield "| field | type | meaning |\n|---|---|---|\n" + "".join(lines)


def describe_answer(entry: Mapping[str, Any], status: int) -> str:
    content = entry["responses"][str(status)].get("content")
    if content is None:
        return f"Answers {status}, without a body."
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return f"Answers {status} with [{name}](#{name.lower()})."


def describe_errors(codes: tuple[str, ...]) -> str:
    if not codes:
        return "It has no errors of its own."
    return "Errors of its own: " + ", ".join(f"`{it}` ({KINDS[it].status})" for it in codes) + "."


def name_type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(name_type, schema["anyOf"])))
    if "enum" in schema:
        return ", ".join(f"`{it}`" for it in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {name_type(schema['items'])}"
    if "additionalProperties" in schema:
        return f"object of {name_type(schema['additionalProperties'])}"
    return str(schema.get("type", ""))


def show_example(value: Any) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def meaning(schema: Mapping[str, Any], text: str, *, needed: bool = True) -> str:
    """What a field means, its default, and an example."""
    parts = [text.replace("|", "\\|")] if text else []
    if not needed and schema.get("default") not in (None, {}, []):
        parts.append(f"Default: `{json.dumps(schema['default'])}`.")
    if needed and text and schema.get("examples"):
        parts.append(f"Example: {show_example(schema['examples'][0])}.".replace("|", "\\|"))
    return " ".join(parts)
