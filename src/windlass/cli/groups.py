"""Groups in the output of a step: `##[group]TITLE` … `##[endgroup]`.

The runner opens every step with a group that repeats the script and its variables. That one is left
out: the views name the step, and a failure says what it ran.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from windlass.protocol.events import StepStarted

GROUP = "##[group]"
END_OF_GROUP = "##[endgroup]"
MARKER = "##["
"""What every line has that opens or closes a group."""

Part: TypeAlias = Literal["title", "line", "nothing"]


class Groups:
    """Follows the lines of one step."""

    def __init__(self, step: StepStarted | None = None) -> None:
        self.is_inside = False
        self._headers = _find_headers(step) if step else frozenset[str]()
        self._is_header = False
        self._has_begun = False

    def may_change_in(self, text: str) -> bool:
        """Tell whether some lines of a text must be looked at one by one."""
        return self._is_header or MARKER in text

    def take(self, line: str) -> Part:
        """Say what the next line is: a group's title, a line to show, or nothing to show."""
        is_first, self._has_begun = not self._has_begun, True
        if line.startswith(GROUP):
            self._is_header = is_first and title_of(line) in self._headers
            self.is_inside = not self._is_header
            return "nothing" if self._is_header else "title"
        if line.startswith(END_OF_GROUP):
            self.is_inside = self._is_header = False
            return "nothing"
        return "nothing" if self._is_header else "line"

    def take_plain(self) -> None:
        """Note that lines were shown that need no look."""
        self._has_begun = True


def title_of(line: str) -> str:
    """Return the title in a line that opens a group."""
    return line.removeprefix(GROUP).rstrip("\r")


def _find_headers(step: StepStarted) -> frozenset[str]:
    """Return what the title of the runner's own group may be.

    Source: actions/runner src/Runner.Worker/Handlers/ScriptHandler.cs, `PrintActionDetails`
    """
    script = step.script.strip(" \t\r\n").splitlines()
    return frozenset({step.name, f"Run {script[0]}"} if script else {step.name})
