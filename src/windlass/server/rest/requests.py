"""Reading a request: what its address, its query and its body give to an operation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pydantic_core
from pydantic import ValidationError

from windlass.errors import InvalidError, UsageError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

    from windlass.operations.hosted.operation import Operation
    from windlass.protocol.api.messages import Input

JSON: Final = "application/json"
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}


class BadFieldsError(InvalidError):
    """Some of what was given cannot be used; `errors` say which and why."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        first = errors[0]
        super().__init__(f"{first['field'] or 'the body'}: {first['detail']}")
        self.errors = errors


class BadMediaError(InvalidError):
    """The body is not JSON by its own word."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """What a text in an address stands for, by the name of its field."""

    by_name: Mapping[str, str]

    def read(self, name: str, text: str) -> Any:
        """Return a value; a text that is none of its kind stays one, and is refused later."""
        kind = self.by_name.get(name)
        if kind == "integer" and _INTEGER.fullmatch(text):
            return int(text)
        return _BOOLEANS.get(text, text) if kind == "boolean" else text

    def settle(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values of JSON, in which 5.0 is an integer as well."""
        return {
            name: int(it)
            if self.by_name.get(name) == "integer" and isinstance(it, float) and it.is_integer()
            else it
            for name, it in values.items()
        }


def find_kinds(model: type[Input]) -> Kinds:
    """Return the kinds of the fields of a model."""
    properties = model.model_json_schema().get("properties", {})
    return Kinds({name: _find_kind(schema) for name, schema in properties.items()})


def _find_kind(schema: Mapping[str, Any]) -> str:
    choices = [schema, *schema.get("anyOf", ())]
    kinds = (it["type"] for it in choices if it.get("type") not in (None, "null"))
    return str(next(kinds, "string"))


def read_input(operation: Operation, kinds: Kinds, request: Request, body: bytes) -> Input:
    """Return what an operation is given.

    Raises:
        UsageError: the query has a name twice, or the body is not JSON.
        BadMediaError: the body says that it is something else than JSON.
        BadFieldsError: something is missing, not known, or not as it has to be.
    """
    path = {name: kinds.read(name, request.path_params[name]) for name in operation.call.in_path}
    given = _read_query(request, kinds)
    if operation.call.has_body:
        if given:
            raise BadFieldsError([_unknown(name) for name in given])
        given = kinds.settle(_read_body(request, body))
    elif body.strip() not in (b"", b"{}"):
        # An empty object says nothing, and many clients send one with every POST.
        raise UsageError("the request has a body, and takes none")
    if taken := [name for name in given if name in path]:
        raise BadFieldsError([_unknown(name) for name in taken])
    try:
        read: Input = operation.call.given.model_validate({**given, **path})
    except ValidationError as error:
        raise BadFieldsError(list(_describe(error))) from None
    return read


def _read_query(request: Request, kinds: Kinds) -> dict[str, Any]:
    pairs = request.query_params.multi_items()
    given = {name: kinds.read(name, text) for name, text in pairs}
    if len(given) < len(pairs):
        raise UsageError("the query names something twice")
    return given


def _read_body(request: Request, body: bytes) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body:
        return {}
    if kind != JSON:
        raise BadMediaError(f"the body has to be {JSON}")
    try:
        value = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise UsageError(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadFieldsError([{"field": "", "detail": "it has to be a JSON object"}])
    return value


def _describe(error: ValidationError) -> Iterable[dict[str, str]]:
    """Yield what is wrong, without what was given: that may be a secret."""
    for it in error.errors(include_url=False, include_input=False, include_context=False):
        yield {"field": ".".join(map(str, it["loc"])), "detail": it["msg"]}


def _unknown(name: str) -> dict[str, str]:
    return {"field": name, "detail": "Extra inputs are not permitted"}
