"""Lays out docs/reference/events.md from the events in `windlass.protocol.events`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, get_args, get_type_hints

from windlass.model.status import Result
from windlass.protocol import events

HEAD = """\
# The events of a run

Generated from `windlass.protocol.events`; `./dev docs` rewrites it.

`windlass run --json` prints one JSON object a line. Each has `event`, the name of its kind, and
`time`, when it was told, in seconds since the epoch (UTC). Secrets are masked in every text. New
kinds and new fields may come; those listed here stay as long as `version` of `run-started` does.
[events.schema.json](events.schema.json), which `windlass events schema` prints, is all of this as a
[JSON Schema](https://json-schema.org).
[Read a run with a program](../guides/json.md) shows how to use them.

The first event of a run is `run-started`, its last is `run-finished`. Jobs run at the same time, so
their events mix; those of one job are in order. Several workflows run one after the other.
"""
TAIL = """\
## diagnostic

What is wrong with a workflow or with the call, or is worth knowing about it.
`windlass lint --json` and `windlass plan --json` have the same objects. The code `default-place` is
that of [where jobs run](../guides/where-jobs-run.md) by default and why, before the run.

| field | value | may be absent |
|---|---|---|
| `code` | text | |
| `severity` | `error`, `warning`, `notice` | |
| `message` | text | |
| `path` | text | yes |
| `line`, `column` | a whole number, from 1 | yes |
| `end_line`, `end_column` | a whole number, from 1; the end is exclusive | yes |
| `related` | a list of objects with `message` and a place | |
| `hint` | text or null | |
"""
VALUES: dict[object, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
    Result: ", ".join(f"`{result}`" for result in Result),
    Mapping[str, str]: "an object of texts",
}


def lay_out_events() -> str:
    """The whole page, in the order of the module."""
    hints: dict[str, Any] = {"Mapping": Mapping, "Result": Result}
    kinds = get_args(events.RunEvent)
    return "\n".join([HEAD, *(lay_out(kind, hints) for kind in kinds), TAIL])


def lay_out(kind: Any, names: dict[str, Any]) -> str:
    types = get_type_hints(kind, localns=names)
    rows = "".join(lay_out_field(field, types[field.name]) for field in fields(kind))
    text = inspect.cleandoc(kind.__doc__)
    return f"## {kind.event}\n\n{text}\n\n| field | value | default |\n|---|---|---|\n{rows}"


def lay_out_field(field: Field[Any], type_: object) -> str:
    return f"| `{field.name}` | {describe(type_)} | {describe_default(field)} |\n"


def describe(type_: object) -> str:
    """The values of a type in words; a type without words here is a fault of this table."""
    if type_ in VALUES:
        return VALUES[type_]
    return " or ".join(VALUES[part] for part in get_args(type_))


def describe_default(field: Field[Any]) -> str:
    if field.default_factory is not MISSING:
        return "`{}`"
    return {MISSING: "", None: "null", "": "empty"}.get(field.default, f"`{field.default}`")
