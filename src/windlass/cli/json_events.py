"""`windlass run --json`: each event of a run is one line of JSON on stdout."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from windlass.cli.diagnostics import diagnostic_as_json
from windlass.protocol.event_lines import write_event

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

    def show(self, event: RunEvent) -> None:
        """Write one event with its name, the time in seconds since the epoch, and its fields."""
        self._terminal.write(write_event(event, self._clock()) + "\n")

    def show_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Write a diagnostic in the same form."""
        time = round(self._clock(), 6)
        line = {"event": "diagnostic", "time": time, **diagnostic_as_json(diagnostic)}
        self._terminal.write(json.dumps(line) + "\n")
