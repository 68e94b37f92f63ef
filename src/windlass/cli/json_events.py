"""`windlass run --json`: each event of a run is one line of JSON on stdout."""

from __future__ import annotations

import time
from dataclasses import fields
from json import JSONEncoder
from typing import TYPE_CHECKING

from windlass.cli.diagnostics import diagnostic_as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.cli.terminal import Terminal
    from windlass.lang.diagnostics import Diagnostic
    from windlass.protocol.events import RunEvent


class JsonEvents:
    """Writes events, and the diagnostics that keep a run from starting, as JSON lines.

    Output comes as many lines an event as were read at once, so that a step that prints fast does
    not cost an event a line, and one that prints slowly is followed line by line.
    """

    def __init__(self, terminal: Terminal, clock: Callable[[], float] = time.time) -> None:
        self._terminal = terminal
        self._clock = clock
        self._encode = JSONEncoder(default=dict).encode
        self._names: dict[str, list[str]] = {}
        """The fields of each kind of event that has been shown."""

    def show(self, event: RunEvent) -> None:
        """Write one event with its name, the time in seconds since the epoch, and its fields."""
        names = self._names.get(event.event)
        if names is None:
            names = self._names[event.event] = [field.name for field in fields(event)]
        values = {name: getattr(event, name) for name in names}
        self._write(event.event, values)

    def show_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Write a diagnostic in the same form."""
        self._write("diagnostic", diagnostic_as_json(diagnostic))

    def _write(self, name: str, values: dict[str, object]) -> None:
        line = {"event": name, "time": round(self._clock(), 6), **values}
        self._terminal.write(self._encode(line) + "\n")
