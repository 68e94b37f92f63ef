"""`windlass run --json`: each event of a run is one line of JSON on stdout."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from typing import TYPE_CHECKING

from windlass.cli.diagnostics import diagnostic_as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.cli.terminal import Terminal
    from windlass.lang.diagnostics import Diagnostic
    from windlass.protocol.events import RunEvent


class JsonEvents:
    """Writes events, and the diagnostics that keep a run from starting, as JSON lines."""

    def __init__(self, terminal: Terminal, clock: Callable[[], float] = time.time) -> None:
        self._terminal = terminal
        self._clock = clock

    def show(self, event: RunEvent) -> None:
        """Write one event with its name, the time in seconds since the epoch, and its fields."""
        values = {field.name: getattr(event, field.name) for field in fields(event)}
        self._write(event.event, values)

    def show_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Write a diagnostic in the same form."""
        self._write("diagnostic", diagnostic_as_json(diagnostic))

    def _write(self, name: str, values: dict[str, object]) -> None:
        line = {"event": name, "time": round(self._clock(), 6), **values}
        self._terminal.write(json.dumps(line, default=dict) + "\n")
