"""The lines of `windlass run --json`."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, get_args, get_type_hints

import pytest
from hypothesis import given, settings, strategies
from jsonschema import ValidationError
from tests.event_schema import check_event, read_events

from windlass.cli.json_events import JsonEvents
from windlass.cli.terminal import Terminal
from windlass.lang.diagnostics import Diagnostic, Related
from windlass.lang.positions import Position, Span
from windlass.model.status import Result
from windlass.protocol.events import JobFinished, Output, RunEvent

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject, SearchStrategy


def test_events_are_lines_of_json() -> None:
    """Each event is one object with its name, the time and its fields."""
    stream = io.StringIO()
    events = JsonEvents(Terminal(stream, is_live=False, colour=False), clock=lambda: 12.5)
    events.show(Output(job="a", step="s", text="ü\n\x1b"))
    events.show(
        JobFinished(
            job="a",
            name="A",
            result=Result.SUCCESS,
            seconds=1.5,
            outputs=MappingProxyType({"v": "1"}),
        )
    )
    events.show_diagnostic(Diagnostic(code="c", message="m"))

    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"event": "output", "time": 12.5, "job": "a", "step": "s", "text": "ü\n\x1b"},
        {
            "event": "job-finished",
            "time": 12.5,
            "job": "a",
            "name": "A",
            "result": "success",
            "seconds": 1.5,
            "outputs": {"v": "1"},
            "environment_url": "",
            "started": True,
            "kept": False,
            "reason": "",
        },
        {
            "event": "diagnostic",
            "time": 12.5,
            "code": "c",
            "severity": "error",
            "message": "m",
            "related": [],
            "hint": None,
        },
    ]


@pytest.mark.parametrize("kind", get_args(RunEvent), ids=lambda kind: kind.event)
@settings(max_examples=20)
@given(data=strategies.data())
def test_every_event_fits_the_published_schema(kind: type[RunEvent], data: DataObject) -> None:
    """Whatever an event holds, its line is what docs/reference/events.schema.json says."""
    stream = io.StringIO()
    JsonEvents(Terminal(stream, is_live=False, colour=False)).show(data.draw(make_events(kind)))

    (event,) = read_events(stream.getvalue())
    assert event["event"] == kind.event


def make_events(kind: type[RunEvent]) -> SearchStrategy[RunEvent]:
    """Events of one kind; numbers are finite and whole numbers positive, as those of runs are."""
    names = {"Mapping": Mapping, "Result": Result}
    types = get_type_hints(kind, localns=names)
    values = {
        float: strategies.floats(min_value=0, allow_infinity=False, allow_nan=False),
        Mapping[str, str]: strategies.dictionaries(strategies.text(), strategies.text()),
    }
    made = {
        field.name: values.get(types[field.name], strategies.from_type(types[field.name]))
        for field in fields(kind)
    }
    return strategies.builds(kind, **made)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"run": 1}, id="another kind of value"),
        pytest.param({"result": "fine"}, id="no result"),
        pytest.param({"more": ""}, id="a field that the schema does not name"),
        pytest.param({"event": "output"}, id="the fields of another event"),
    ],
)
def test_the_check_of_events_finds_what_is_wrong(wrong: dict[str, object]) -> None:
    """The other tests would not notice if the check let everything pass."""
    event = {"event": "run-finished", "time": 1.5, "run": "1", "result": "success", "seconds": 1}
    check_event(event)

    with pytest.raises(ValidationError):
        check_event(event | wrong)


def test_diagnostics_fit_the_published_schema() -> None:
    """With and without a place, related places and a hint."""
    span = Span("a.yml", Position(1, 2), Position(1, 5))
    stream = io.StringIO()
    events = JsonEvents(Terminal(stream, is_live=False, colour=False))
    events.show_diagnostic(Diagnostic(code="c", message="m"))
    events.show_diagnostic(
        Diagnostic(code="c", message="m", span=span, related=(Related("r", span),), hint="h")
    )

    assert [event.get("end_column") for event in read_events(stream.getvalue())] == [None, 5]
