"""A run as it looks in a pipe, a file or a simple terminal: one line a fact, nothing is redrawn."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from windlass.cli.run_log import RunLog
from windlass.cli.run_tree import RunTree
from windlass.protocol.events import RunFinished, RunStarted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from windlass.cli.terminal import Terminal
    from windlass.protocol.events import RunEvent


class LogView:
    """Writes events as they come. Use as a context, as the live view; `show` is for any thread."""

    def __init__(self, terminal: Terminal, place: str = "") -> None:
        self._place = place
        self._terminal = terminal
        self._lock = threading.Lock()
        self._log = RunLog(terminal)
        self._tree = RunTree(terminal)

    def __enter__(self) -> LogView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """There is nothing to clean up."""

    def show(self, event: RunEvent) -> None:
        """Write the lines of one event."""
        with self._lock:
            if isinstance(event, RunStarted):
                self._log, self._tree = RunLog(self._terminal), RunTree(self._terminal)
            lines = list(self._log.lines(event))
            self._tree.add(event, 0.0)
            if isinstance(event, RunFinished):
                # Imported when it is needed: the first step should start soon.
                from windlass.cli.run_summary import RunSummary

                lines += RunSummary(self._tree, self._terminal, self._place).lines(event)
            self._write(lines)

    def announce(self, text: str) -> None:
        """Write a line of Windlass's own."""
        with self._lock:
            self._write([self._terminal.paint(text, "bold", "yellow")])

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let something else be written, such as messages on stderr, between two lines."""
        with self._lock:
            yield

    def _write(self, lines: list[str]) -> None:
        self._terminal.write("".join(f"{line}\n" for line in lines))
