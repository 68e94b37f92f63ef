"""The lines of `windlass run --json`."""

from __future__ import annotations

import io
import json
from types import MappingProxyType

from windlass.cli.json_events import JsonEvents
from windlass.cli.terminal import Terminal
from windlass.lang.diagnostics import Diagnostic
from windlass.model.status import Result
from windlass.protocol.events import JobFinished, Output


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
