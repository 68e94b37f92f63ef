"""Version 1 of the API grows, and takes nothing back: docs/reference/api.md, "Versions".

`tests/golden/api/v1.json` holds what was once there. What is added is put in by `--update-golden`,
which removes nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_site import ADDRESS, ask

from windlass.operations.hosted.catalogue import CATALOGUE
from windlass.server.problems import KINDS
from windlass.server.rest.openapi import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.operations.hosted.site import Site

pytestmark = pytest.mark.requirement("P05")

RECORD = Path(__file__).parents[2] / "golden" / "api" / "v1.json"
TOLD = ("description", "title", "examples", "example", "default")
"""What of a schema is for people, or may be chosen anew."""


def outline() -> dict[str, Any]:
    """What programs rely on: addresses, fields with their types, what has to be given, codes."""
    document = describe(CATALOGUE, ADDRESS)
    operations = {
        entry["operationId"]: {
            "call": f"{method.upper()} {path}",
            "status": next(iter(entry["responses"])),
            "parameters": {
                f"{it['in']} {it['name']}": {"type": strip(it["schema"]), "needed": it["required"]}
                for it in entry["parameters"]
                if it["in"] != "header"
            },
        }
        for path, methods in document["paths"].items()
        for method, entry in methods.items()
    }
    given = {it.call.given.__name__ for it in CATALOGUE}
    models = {
        name: {
            "given": name in given,
            "fields": {
                field: {"type": strip(it), "needed": field in schema.get("required", ())}
                for field, it in schema.get("properties", {}).items()
            },
        }
        for name, schema in document["components"]["schemas"].items()
    }
    codes = {code: kind.status for code, kind in KINDS.items()}
    return {"operations": operations, "models": models, "codes": codes}


def strip(schema: Any) -> Any:
    """A schema without what is told to people."""
    if isinstance(schema, list):
        return [strip(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: strip(it) for key, it in schema.items() if key not in TOLD}


def find_missing(record: Any, today: Any, path: str = "") -> list[str]:
    """The places at which today something else is said than was, or nothing."""
    if isinstance(record, dict) and isinstance(today, dict) and not path.endswith("/type"):
        return [
            place
            for key, it in record.items()
            for place in find_missing(it, today.get(key), f"{path}/{key}")
        ]
    return [] if record == today else [path]


def merge(record: Any, today: Any) -> Any:
    if not (isinstance(record, dict) and isinstance(today, dict)):
        return record
    return {
        key: merge(record[key], today.get(key)) if key in record else today[key]
        for key in sorted({*record, *today})
    }


def list_needed(shown: Mapping[str, Any]) -> set[str]:
    """The fields and parameters without which nothing can be asked for."""
    parts = {name: it["parameters"] for name, it in shown["operations"].items()}
    parts |= {name: it["fields"] for name, it in shown["models"].items() if it["given"]}
    return {f"{name}/{field}" for name, it in parts.items() for field in it if it[field]["needed"]}


def test_nothing_of_version_1_is_taken_back(request: pytest.FixtureRequest) -> None:
    """Addresses, fields, their types and codes of problems are as they were; others are added."""
    today = json.loads(json.dumps(outline()))
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    if request.config.getoption("--update-golden"):
        record = merge(record, today)
        RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")

    assert find_missing(record, today) == []
    assert find_missing(today, record) == [], "--update-golden records what was added"


def test_nothing_more_has_to_be_given() -> None:
    """What an older client leaves out stays optional; what is new has a default."""
    record, today = json.loads(RECORD.read_text()), outline()
    known = record["operations"].keys() | record["models"].keys()

    more = list_needed(today) - list_needed(record)

    assert [it for it in more if it.partition("/")[0] in known] == []


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        ({"a": {"type": {"type": "string"}, "needed": True}, "b": 1}, []),
        ({"a": {"type": {"type": "string", "maxLength": 5}, "needed": True}}, ["/a/type"]),
        ({"a": {"type": {"type": "string"}, "needed": False}}, ["/a/needed"]),
        ({}, ["/a"]),
    ],
    ids=["added", "narrowed", "changed", "removed"],
)
def test_what_counts_as_taken_back(today: dict[str, Any], missing: list[str]) -> None:
    """A field that is gone, or of another type; none that is new."""
    record = {"a": {"type": {"type": "string"}, "needed": True}}

    assert find_missing(record, today) == missing


def test_a_version_that_is_not_there_is_no_address(site: Site) -> None:
    """The version is in the address; a server says which one it has."""
    client = ask(site)

    assert client.get("/api/v2/runs").status_code == 404
    assert client.get("/api/v1/server").json()["api"] == 1
