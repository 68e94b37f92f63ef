"""A run as people follow it: a log of lines and, on a terminal, what is running below it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from windlass.cli.run_log import RunLog, format_seconds
from windlass.cli.run_summary import RunSummary
from windlass.cli.terminal import Terminal, cut, visible
from windlass.protocol.events import (
    JobFinished,
    JobStarted,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from windlass.protocol.events import RunEvent

TICK_SECONDS = 0.1
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MOST_JOBS = 8
"""Running jobs shown below the log; more are counted."""


class Running:
    """One job that is running, and its step."""

    def __init__(self, name: str, started: float) -> None:
        self.name = name
        self.step = ""
        self.started = started


class LiveView:
    """Shows events as they come. Use as a context: leaving it removes what is below the log.

    `show` may be called from any thread.
    """

    def __init__(self, terminal: Terminal, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = terminal
        self._clock = clock
        self._lock = threading.Lock()
        self._log = RunLog(terminal)
        self._summary = RunSummary(terminal)
        self._workflow = ""
        self._running: dict[str, Running] = {}
        self._height = 0
        self._announcement = ""
        self._stopped = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> LiveView:
        if self._terminal.is_live:
            self._ticker = threading.Thread(target=self._tick, name="live-view", daemon=True)
            self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        if self._ticker is not None:
            self._ticker.join()
        with self._lock:
            self._terminal.write(self._erase())

    def show(self, event: RunEvent) -> None:
        """Add one event to what is shown."""
        with self._lock:
            self._follow(event)
            lines = list(self._log.lines(event))
            self._summary.add(event)
            if isinstance(event, RunFinished):
                lines += self._summary.lines(event, self._workflow)
            self._print(lines)

    def announce(self, text: str) -> None:
        """Have a line of Windlass's own shown soon. Takes no lock: a signal handler may call it."""
        self._announcement = text

    def _follow(self, event: RunEvent) -> None:
        match event:
            case RunStarted():
                self._workflow = event.workflow
                self._log = RunLog(self._terminal)
                self._summary = RunSummary(self._terminal)
            case JobStarted():
                self._running[event.job] = Running(visible(event.name), self._clock())
            case StepStarted() if event.job in self._running:
                self._running[event.job].step = visible(event.name)
            case StepFinished() if event.job in self._running:
                self._running[event.job].step = ""
            case JobFinished():
                self._running.pop(event.job, None)
            case _:
                pass

    def _print(self, lines: list[str]) -> None:
        announcement, self._announcement = self._announcement, ""
        if announcement:
            lines.insert(0, self._terminal.paint(announcement, "bold", "yellow"))
        text = "".join(f"{line}\n" for line in lines)
        self._terminal.write(self._erase() + text + self._draw())

    def _tick(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            with self._lock:
                if self._running:
                    self._print([])

    def _erase(self) -> str:
        """The codes that remove the lines below the log; the cursor stands at their end."""
        height, self._height = self._height, 0
        return f"\x1b[{height}F\x1b[J" if height else ""

    def _draw(self) -> str:
        """The lines below the log: each running job with its step and how long it has run."""
        if not self._terminal.is_live or not self._running or self._stopped.is_set():
            return ""
        now = self._clock()
        frame = FRAMES[int(now / TICK_SECONDS) % len(FRAMES)]
        rows = [self._row(job, frame, now) for job in list(self._running.values())[:MOST_JOBS]]
        if len(self._running) > MOST_JOBS:
            rows.append(f"  and {len(self._running) - MOST_JOBS} more jobs")
        self._height = len(rows)
        return "".join(f"{row}\n" for row in rows)

    def _row(self, job: Running, frame: str, now: float) -> str:
        step = f" › {job.step}" if job.step else ""
        seconds = format_seconds(now - job.started)
        name = cut(f"{job.name}{step}", self._terminal.width - len(seconds) - 4)
        painted = self._terminal.paint(frame, "cyan")
        return f"{painted} {name} {self._terminal.paint(seconds, 'dim')}"
