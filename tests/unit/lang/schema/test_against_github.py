"""Our schemas say what GitHub's own schemas say: definitions, keys, types, contexts, functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from windlass.lang.schema.action import action_schema
from windlass.lang.schema.definitions import (
    UNLIMITED,
    MappingDefinition,
    OneOfDefinition,
    SequenceDefinition,
    StringDefinition,
)
from windlass.lang.schema.schema import built_in_definitions
from windlass.lang.schema.workflow import workflow_schema

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.lang.schema.definitions import Availability, Definition

NOT_USED = {
    # the lenient root, of which the strict one is a copy
    "workflow-root",
    "on",
    "on-mapping",
    # what an `if` may evaluate to; nothing refers to them
    "job-if-result",
    "step-if-result",
    # nothing refers to them
    "boolean-steps-context",
    "number-steps-context",
}
STRICT = (
    "action-root-strict",
    "inputs-strict",
    "input-strict",
    "runs-strict",
    "container-runs-strict",
    "node-runs-strict",
    "composite-runs-strict",
    "branding",
    "branding-icon",
    "branding-color",
    "using",
)
DEVIATIONS = {
    # GitHub's file says 'branch_protection_rule' here, by mistake: on.repository_dispatch works
    "repository-dispatch-string": ("string", {"constant": "repository_dispatch"}, []),
}


def describe_theirs(definitions: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, definition in definitions.items():
        context = sorted(definition.get("context", []))
        kind = next(key for key in definition if key not in ("context", "description"))
        body = definition[kind]
        if kind == "allowed-values":
            found[name] = ("one-of", [f"{name}-{value}" for value in body], context)
            for value in body:
                found[f"{name}-{value}"] = ("string", {"constant": value}, [])
        elif kind == "mapping":
            properties = {
                key: read_property(one) for key, one in body.get("properties", {}).items()
            }
            loose = (body.get("loose-key-type"), body.get("loose-value-type"))
            found[name] = ("mapping", properties, loose, context)
        elif kind == "sequence":
            found[name] = ("sequence", body["item-type"], context)
        else:
            found[name] = (kind, body, context)
    return found


def read_property(value: Any) -> tuple[str, bool]:
    return (
        (value, False) if isinstance(value, str) else (value["type"], value.get("required", False))
    )


def describe_ours(definitions: dict[str, Definition]) -> dict[str, Any]:
    return {name: describe(definition) for name, definition in definitions.items()}


def describe(definition: Definition) -> Any:
    context = sorted(write_available(definition.available))
    match definition:
        case OneOfDefinition():
            return ("one-of", list(definition.types), context)
        case MappingDefinition():
            properties = {
                key: (one.type, one.required) for key, one in definition.properties.items()
            }
            return ("mapping", properties, (definition.loose_key, definition.loose_value), context)
        case SequenceDefinition():
            return ("sequence", definition.item, context)
        case StringDefinition():
            body: dict[str, Any] = {}
            if definition.constant is not None:
                body["constant"] = definition.constant
            if definition.require_non_empty:
                body["require-non-empty"] = True
            return ("string", body, context)
    return (definition.kind, {}, context)


def write_available(available: Availability) -> list[str]:
    functions = [
        f"{one.name}({one.minimum},{'MAX' if one.maximum == UNLIMITED else one.maximum})"
        for one in available.functions
    ]
    return [*available.contexts, *functions]


@pytest.mark.parametrize(
    ("file", "ours", "left_out"),
    [
        pytest.param("workflow-v1.0.json", workflow_schema, NOT_USED, id="workflow"),
        pytest.param("action-v1.0.json", action_schema, set(STRICT), id="action"),
    ],
)
def test_definitions_are_those_of_github(
    github_schemas: Path, file: str, ours: Any, left_out: set[str]
) -> None:
    """Definitions have the same keys, types, contexts and functions; none is missing or added."""
    theirs = json.loads((github_schemas / file).read_text(encoding="utf-8"))["definitions"]
    expected = {
        name: description
        for name, description in describe_theirs(theirs).items()
        if name not in left_out and not (file.startswith("action") and name.startswith(STRICT))
    }
    expected |= {name: one for name, one in DEVIATIONS.items() if name in expected}
    built_in = set(built_in_definitions())

    actual = describe_ours(
        {name: one for name, one in ours().definitions.items() if name not in built_in}
    )

    assert actual.keys() == expected.keys()
    for name, description in expected.items():
        assert actual[name] == description, name


def test_required_keys_are_reported_in_the_order_of_github(github_schemas: Path) -> None:
    """Keys that must be there stand in GitHub's order, on which the order of errors depends."""
    theirs = json.loads((github_schemas / "workflow-v1.0.json").read_text())["definitions"]
    for name, definition in workflow_schema().definitions.items():
        if isinstance(definition, MappingDefinition) and name in theirs:
            written = theirs[name]["mapping"].get("properties", {})
            expected = [key for key, one in written.items() if read_property(one)[1]]
            assert [key for key, one in definition.properties.items() if one.required] == expected


def test_every_known_key_is_described() -> None:
    """Every key of a job and of a step has a description, for the documentation."""
    for name in ("workflow-root-strict", "job-factory", "workflow-job", "run-step", "regular-step"):
        definition = workflow_schema().definitions[name]
        assert isinstance(definition, MappingDefinition)
        assert all(one.description.endswith(".") for one in definition.properties.values()), name


def test_what_is_available_outside_stays_available_inside() -> None:
    """A place nested in another may use what either says, each once."""
    outside = workflow_schema().place("container", workflow_schema().place("jobs", NONE).available)

    inside = outside.inside("container-registry-credentials")

    assert inside.available.contexts == (
        *("github", "inputs", "vars", "needs", "strategy", "matrix"),
        *("secrets", "env"),
    )


NONE = workflow_schema().definitions["jobs"].available
