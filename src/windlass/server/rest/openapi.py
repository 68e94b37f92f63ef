"""The description of the API, made of the catalogue.

Source: https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic.json_schema import models_json_schema

from windlass import __version__
from windlass.protocol.api.messages import API_VERSION, Nothing
from windlass.server.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX
from windlass.server.rest import replays
from windlass.server.rest.examples import find_example

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from windlass.operations.hosted.operation import Operation

    Schema: TypeAlias = dict[str, Any]

PREFIX: Final = f"/api/v{API_VERSION}"
_COMPONENTS: Final = "#/components/schemas/"
_ANY: Final = ("usage", "unauthenticated", "invalid", "too-many", "internal", "platform")
_WITH_BODY: Final = ("too-large", "media-type")
_ABOUT: Final = """\
Every operation of a Windlass server. Errors are problem documents (RFC 9457) of a stable `type`.
Lists come in pages: `next`, and the `Link` header, lead to the next one. A `POST` with an
`Idempotency-Key` may be sent again for a day and is done once. A `GET` has an `ETag`.
Within version 1, fields and operations are added, and none is removed or given another meaning.
"""

PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "What is wrong, as of RFC 9457.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "description": f"`{TYPE_PREFIX}` and the code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong here, for people."},
        "code": {"type": "string", "description": "Which kind of problem it is; stable."},
        "hint": {"type": "string", "description": "What to do next, for people."},
        "errors": {
            "type": "array",
            "description": "What of the request cannot be used.",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def write_document(catalogue: Sequence[Operation], address: str) -> str:
    """Return the description of a server at an address, as JSON."""
    return json.dumps(describe(catalogue, address), indent=2)


def describe(catalogue: Sequence[Operation], address: str) -> Schema:
    """Return the description of a server at an address."""
    schemas = _define_schemas(catalogue)
    paths: dict[str, Schema] = {}
    for operation in catalogue:
        entry = paths.setdefault(PREFIX + operation.call.path, {})
        entry[operation.call.method.lower()] = _describe_operation(operation, schemas)
    shown = {name: it for name, it in schemas.items() if name not in _hidden(catalogue)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Windlass",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": address}],
        "security": [{"token": []}],
        "tags": [{"name": noun} for noun in dict.fromkeys(it.noun for it in catalogue)],
        "paths": paths,
        "components": {
            "schemas": {**shown, **_define_bodies(catalogue, schemas), "Problem": PROBLEM},
            "responses": {code: _describe_problem(code) for code in KINDS},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token, `wlt_...`.",
                }
            },
        },
    }


def _define_schemas(catalogue: Sequence[Operation]) -> dict[str, Schema]:
    answers: list[Any] = [(it.call.answer, "serialization") for it in catalogue]
    given: list[Any] = [(it.call.given, "validation") for it in catalogue]
    _, made = models_json_schema(
        [*given, *answers],
        ref_template=_COMPONENTS + "{model}",
    )
    return {name: _without_titles(schema) for name, schema in made["$defs"].items()}


def _hidden(catalogue: Iterable[Operation]) -> set[str]:
    """Return the names of the models that are not shown as they are, but in parts or not at all."""
    return {operation.call.given.__name__ for operation in catalogue} | {Nothing.__name__}


def _define_bodies(
    catalogue: Iterable[Operation], schemas: Mapping[str, Schema]
) -> dict[str, Schema]:
    """Return the schemas of bodies: what an operation is given, without what is in its path."""
    bodies = {}
    for operation in catalogue:
        if operation.call.has_body:
            whole = schemas[operation.call.given.__name__]
            bodies[operation.call.given.__name__] = {
                **whole,
                "properties": {name: whole["properties"][name] for name in operation.call.others},
                "required": [it for it in whole.get("required", []) if it in operation.call.others],
            }
    return bodies


def _describe_operation(operation: Operation, schemas: Mapping[str, Schema]) -> Schema:
    described: Schema = {
        "operationId": operation.name,
        "tags": [operation.noun],
        "summary": operation.summary,
        "description": _read_description(operation),
        "x-effect": operation.effect,
        "x-permission": operation.permission,
        "parameters": list(_describe_parameters(operation, schemas)),
        "responses": _describe_responses(operation, schemas),
    }
    if operation.call.has_body:
        name = operation.call.given.__name__
        needed = any(
            operation.call.given.model_fields[it].is_required() for it in operation.call.others
        )
        example = find_example({"$ref": _COMPONENTS + name}, schemas)
        for field in operation.call.in_path:
            example.pop(field, None)
        described["requestBody"] = {
            "required": needed,
            "content": _json({"$ref": _COMPONENTS + name}, example),
        }
    return described


def _read_description(operation: Operation) -> str:
    lines = (operation.function.__doc__ or "").partition("Raises:")[0].splitlines()
    return "\n".join(line.strip() for line in lines).strip()


def _describe_parameters(operation: Operation, schemas: Mapping[str, Schema]) -> Iterator[Schema]:
    whole = schemas[operation.call.given.__name__]
    names = operation.call.in_path if operation.call.has_body else operation.call.given.model_fields
    for name in names:
        schema = _without_null(whole["properties"][name])
        is_in_path = name in operation.call.in_path
        yield {
            "name": name,
            "in": "path" if is_in_path else "query",
            "required": is_in_path or name in whole.get("required", []),
            "description": schema.pop("description", name),
            "schema": schema,
        }
    if operation.call.method == "POST":
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Names the request: sent again, it is not carried out again.",
            "schema": {"type": "string", "pattern": replays.PATTERN},
        }
    if operation.call.method == "GET":
        yield {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of what is known already.",
            "schema": {"type": "string", "examples": ['"0123456789abcdef"']},
        }


def _describe_responses(operation: Operation, schemas: Mapping[str, Schema]) -> Schema:
    good: Schema = {"description": operation.summary}
    if operation.call.answer is not Nothing:
        reference = {"$ref": _COMPONENTS + operation.call.answer.__name__}
        good["content"] = _json(reference, find_example(reference, schemas))
    responses: Schema = {str(operation.status): good}
    if operation.call.method == "GET":
        good["headers"] = {"ETag": _text("Stands for what is answered.")}
        if "next" in operation.call.answer.model_fields:
            good["headers"]["Link"] = _text('The next page: `<...>; rel="next"`.')
        responses["304"] = {"description": "It is as `If-None-Match` says."}
    if operation.call.method == "POST":
        good["headers"] = {replays.REPLAYED: _text("`true` where it was answered before.")}
    codes = (*_ANY, *operation.errors)
    codes += ("conflict",) if operation.call.method == "POST" else ()
    codes += _WITH_BODY if operation.call.has_body else ()
    for code in codes:
        responses[str(KINDS[code].status)] = {"$ref": f"#/components/responses/{code}"}
    responses["default"] = {"$ref": "#/components/responses/internal"}
    return responses


def _describe_problem(code: str) -> Schema:
    kind = KINDS[code]
    example = {
        "type": TYPE_PREFIX + code,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.meaning,
        "code": code,
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": _COMPONENTS + "Problem"}, "example": example}}
    answer: Schema = {"description": kind.meaning, "content": content}
    if code == "unauthenticated":
        answer["headers"] = {"WWW-Authenticate": _text("Asks for a bearer token.")}
    return answer


def _json(schema: Schema, example: object) -> Schema:
    return {"application/json": {"schema": schema, "example": example}}


def _text(description: str) -> Schema:
    return {"description": description, "schema": {"type": "string"}}


def _without_null(schema: Mapping[str, Any]) -> Schema:
    """Return a schema for what stands in an address: there is no null, but nothing."""
    kept = {name: value for name, value in schema.items() if name != "anyOf"}
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            kept = {**choice, **kept}
    if kept.get("default", 0) is None:
        del kept["default"]
    return kept


def _without_titles(schema: Any) -> Any:
    """Return a schema without the titles that only say the name again."""
    if isinstance(schema, list):
        return [_without_titles(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_titles(value)
        for name, value in schema.items()
        if name != "title" or not isinstance(value, str)
    }
