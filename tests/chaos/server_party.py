"""A process that is started again whenever it is killed: a server, or a runner."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from tests.chaos.processes import Command, Done

TROUBLE: Final = ("Traceback", "error: unexpected")
PLATFORM: Final = 3
"""The exit code of a server that finds no database when it is started."""

LOOK_MILLISECONDS: Final = 40
Before: TypeAlias = Callable[[], None]


class Party:
    """A process that is started again whenever it is killed: a server, or a runner."""

    def __init__(
        self, name: str, start: Callable[[Before], Command], before: Before | None = None
    ) -> None:
        """`before` is called in the first process alone; nothing is started yet."""
        self.name = name
        self.returns = True
        self.may_refuse = False
        self.kills = 0
        self.faults: list[str] = []
        self.said: list[str] = []
        self._start = start
        self._before = before
        self._command: Command | None = None

    @property
    def pid(self) -> int:
        """The process that there is now."""
        assert self._command is not None
        return self._command.pid

    def begin(self) -> None:
        """Start it."""
        self._command = self._start(self._before or _nothing)
        self._before = None

    def tend(self) -> None:
        """Start it again where it has ended; it may not have ended by itself."""
        if self._command is not None and self._command.is_over:
            command, self._command = self._command, None
            self._note(command.wait(), may_end=False)
            if self.returns:
                self.begin()

    def kill(self) -> None:
        """Kill it."""
        if self._command is not None and not self._command.is_over:
            os.kill(self._command.pid, signal.SIGKILL)

    def end(self) -> None:
        """Ask it to end, and wait for that."""
        command, self._command = self._command, None
        if command is None:
            return
        if not command.is_over:
            os.kill(command.pid, signal.SIGTERM)
        while not command.is_over:
            # One that is stopped while it ends would never do so.
            os.kill(command.pid, signal.SIGCONT)
            select.poll().poll(LOOK_MILLISECONDS)
        self._note(command.wait(), may_end=True)

    def _note(self, done: Done, *, may_end: bool) -> None:
        self.kills += done.code == -signal.SIGKILL
        lines = (done.output + done.errors).splitlines()
        self.said += [it for it in lines if '"event": "request"' not in it]
        expected = [-signal.SIGKILL, *([0, -signal.SIGTERM] if may_end else [])]
        if self.may_refuse and "cannot be opened" in done.errors:
            expected.append(PLATFORM)
        if done.code not in expected:
            # What it has said comes with all faults.
            self.faults.append(f"the {self.name} ended with {done.code}")
        said = done.output + done.errors
        if any(it in said for it in TROUBLE):
            self.faults.append(f"the {self.name} said {_find_trouble(said)}")


def _find_trouble(said: str) -> str:
    at = max(0, min(it for it in map(said.find, TROUBLE) if it >= 0) - 400)
    return said[at : at + 3000]


def _nothing() -> None:
    """Change nothing."""
