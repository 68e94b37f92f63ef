"""A run as people follow it on a terminal: a tree of what runs, below a log of what went wrong.

What steps print is not scrolled by: the last lines stand below each running step, and a job that
fails leaves its reason above the tree. When the run is over the tree gives way to the summary.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from windlass.cli.failed_steps import explain_failure
from windlass.cli.region import Region
from windlass.cli.run_log import headline
from windlass.cli.run_tree import RunTree
from windlass.cli.tree_rows import FRAME_SECONDS, TreeRows
from windlass.model.status import Result
from windlass.protocol.events import JobFinished, RunFinished, RunStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from windlass.cli.terminal import Terminal
    from windlass.protocol.events import RunEvent

LINES_OF_VERDICT = 7
"""What the end of a run takes at least, and the prompt of the shell after it."""


class LiveView:
    """Shows events as they come. Use as a context: leaving it removes the tree.

    `show` may be called from any thread.
    """

    def __init__(
        self,
        terminal: Terminal,
        clock: Callable[[], float] = time.monotonic,
        place: str = "",
    ) -> None:
        self._terminal = terminal
        self._place = place
        self._clock = clock
        self._lock = threading.Lock()
        self._tree = RunTree(terminal)
        self._region = Region(terminal)
        self._announcement = ""
        self._told: dict[str, int] = {}
        """The jobs whose failure was told, each with the lines of that and of all after it."""
        self._stopped = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="live-view", daemon=True)

    def __enter__(self) -> LiveView:
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._ticker.join()
        with self._lock:
            self._region.draw([])

    def show(self, event: RunEvent) -> None:
        """Add one event to what is shown; all but what stays is drawn with the next frame."""
        with self._lock:
            match event:
                case RunStarted():
                    self._tree = RunTree(self._terminal)
                    self._told.clear()
                    self._print([headline(event, self._terminal)])
                case RunFinished():
                    self._finish(event)
                    return
            self._tree.add(event, self._clock())
            if isinstance(event, JobFinished):
                self._explain(event.job)

    def announce(self, text: str) -> None:
        """Have a line of Windlass's own shown with the next frame; takes no lock."""
        self._announcement = text

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Make room for something else to be written, such as messages on stderr."""
        with self._lock:
            self._region.draw([])
            yield

    def _explain(self, key: str) -> None:
        lines = list(explain_failure(self._tree.jobs[key], self._terminal))
        if lines:
            self._told[key] = 0
            self._print(lines)

    def _finish(self, event: RunFinished) -> None:
        """Replace the tree by the summary; failures that matter and are out of sight come again."""
        # Imported when it is needed: the first step should start soon.
        from windlass.cli.run_summary import RunSummary

        summary = RunSummary(self._tree, self._terminal, self._place)
        self._tree = RunTree(self._terminal)
        self._print(list(summary.account(event)))
        height = self._terminal.size[1] - LINES_OF_VERDICT
        is_forgiven = event.result is Result.SUCCESS
        told = {key for key, lines in self._told.items() if is_forgiven or lines <= height}
        self._print(list(summary.end(event, explained=told)))

    def _print(self, lines: list[str]) -> None:
        """Add lines to the log and draw the tree below it."""
        announcement, self._announcement = self._announcement, ""
        if announcement:
            lines = [self._terminal.paint(announcement, "bold", "yellow"), *lines]
        for key in self._told:
            self._told[key] += len(lines)
        self._region.draw(self._rows(), lines)

    def _rows(self) -> list[str]:
        if self._stopped.is_set():
            return []
        columns, height = self._terminal.size
        rows = TreeRows(self._tree, self._terminal, self._clock())
        return list(rows.lay_out(max(columns - 1, 1), max(height - 2, 0)))

    def draw_frame(self) -> None:
        """Draw the tree as it is now."""
        with self._lock:
            if self._tree.jobs or self._tree.waits or self._announcement:
                self._print([])

    def _tick(self) -> None:
        # A terminal that refuses is told to whoever shows the next event.
        with suppress(OSError):
            while not self._stopped.wait(FRAME_SECONDS):
                self.draw_frame()
