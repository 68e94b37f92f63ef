"""Holds the lines of `windlass run --json` against the published schema, as other programs may."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).resolve().parents[1] / "docs" / "reference" / "events.schema.json"


def check_event(event: dict[str, Any]) -> None:
    """Fail where an event is not what the schema says, or has a field that it does not name."""
    validator_for(event["event"]).validate(event)


def read_events(text: str) -> list[dict[str, Any]]:
    """Read the lines of a run, each of which must be a sound event."""
    events = [json.loads(line) for line in text.splitlines()]
    for event in events:
        check_event(event)
    return events


@functools.cache
def validator_for(name: str) -> Draft202012Validator:
    definition = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"][name]
    schema = definition | {"additionalProperties": False}
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
