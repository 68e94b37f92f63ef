"""`toJSON` and `fromJSON`: JSON as ECMAScript's JSON.stringify and JSON.parse write and read it.

Sources: @actions/expressions src/funcs/tojson.ts and fromjson.ts; keys keep their order, as in
actions/runner src/Sdk/Expressions/Sdk/Functions/ToJson.cs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, NoReturn

from windlass.lang.casing import fold
from windlass.lang.expressions.faults import evaluation_error
from windlass.lang.expressions.numbers import WHITESPACE, format_json_number
from windlass.lang.expressions.values import kind_of, to_text

MAXIMUM_NESTING = 100
"""How deep JSON may nest (actions/runner: JTokenExtensions.cs, maxDepth)."""

_LONGEST_NEWLINE = 2 * MAXIMUM_NESTING + 2
_EXACT_INTEGER_DIGITS = 15


def to_json(value: Any) -> str:
    """Return a value as JSON, indented by two blanks, its keys in their order.

    Raises FaultError for a value that nests too deep.
    """
    pieces: list[str] = []
    _write(value, "\n", pieces)
    return "".join(pieces)


def _write(value: Any, newline: str, pieces: list[str]) -> None:
    if len(newline) > _LONGEST_NEWLINE:
        raise evaluation_error("Maximum object depth exceeded")
    kind = kind_of(value)
    if kind == "Object" and isinstance(value, Mapping) and value:
        inner = newline + "  "
        separator = "{" + inner
        for key, member in value.items():
            pieces += separator, _quote(str(key)), ": "
            _write(member, inner, pieces)
            separator = "," + inner
        pieces += newline, "}"
    elif kind == "Array" and value:
        inner = newline + "  "
        if len(inner) <= _LONGEST_NEWLINE and all(type(item) is str for item in value):
            # So are all long lists there are: a push may name thousands of files.
            pieces += "[", inner, ("," + inner).join(map(_quote, value)), newline, "]"
            return
        separator = "[" + inner
        for item in value:
            pieces.append(separator)
            _write(item, inner, pieces)
            separator = "," + inner
        pieces += newline, "]"
    else:
        pieces.append(_write_scalar(value, kind))


def _write_scalar(value: Any, kind: str) -> str:
    match kind:
        case "Null":
            return "null"
        case "String":
            return _quote(str.__str__(value))
        case "Number":
            return format_json_number(value)
        case "Array":
            return "[]"
        case "Object":
            return "{}"
        case _:
            return to_text(value)


def _quote(text: str) -> str:
    quoted = encode_basestring(text)
    if text.isascii():
        return quoted
    return "".join(
        f"\\u{ord(character):04x}" if "\ud800" <= character <= "\udfff" else character
        for character in quoted
    )


def from_json(value: Any) -> Any:
    """Return what a JSON text says.

    Raises FaultError for an empty text and for what is not JSON.
    """
    text = to_text(value)
    if not text.strip(WHITESPACE):
        raise evaluation_error("empty input")
    try:
        result = read_json(text)
    except (ValueError, RecursionError):
        raise evaluation_error("Error parsing JSON when evaluating fromJson") from None
    return result


def read_json(text: str) -> Any:
    """Read JSON as GitHub does: numbers are doubles, of keys equal but for case the first counts.

    Raises ValueError for what is not JSON or nests deeper than MAXIMUM_NESTING, RecursionError for
    what nests very much deeper.
    """
    result = _decoder().decode(text)
    if text.count("[") + text.count("{") > MAXIMUM_NESTING:
        _check_nesting(result)
    return result


@lru_cache(maxsize=1)
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_int=_read_integer,
        parse_constant=_refuse_constant,
        object_pairs_hook=_read_members,
    )


def _read_integer(digits: str) -> float:
    return int(digits) if len(digits) <= _EXACT_INTEGER_DIGITS else float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(set(map(fold, members))) == len(pairs):
        return members
    # A key written twice keeps its last value, as in JSON.parse; then the first spelling counts.
    seen: dict[str, str] = {}
    for key in members:
        seen.setdefault(fold(key), key)
    return {key: members[key] for key in seen.values()}


def _check_nesting(value: Any) -> None:
    level = [value]
    for _ in range(MAXIMUM_NESTING + 1):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise ValueError(f"nested deeper than {MAXIMUM_NESTING}")
