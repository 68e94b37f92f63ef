"""How results, levels and times look, the same in every view of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.terminal import Style, Terminal, visible
from windlass.model.status import Result

if TYPE_CHECKING:
    from windlass.protocol.events import Annotation

MARKS: dict[Result, str] = {
    Result.SUCCESS: "✓",
    Result.FAILURE: "✗",
    Result.CANCELLED: "■",
    Result.SKIPPED: "⊘",
}
WORDS: dict[Result, str] = {
    Result.SUCCESS: "succeeded",
    Result.FAILURE: "failed",
    Result.CANCELLED: "cancelled",
    Result.SKIPPED: "skipped",
}
STYLES: dict[Result, Style] = {
    Result.SUCCESS: "green",
    Result.FAILURE: "red",
    Result.CANCELLED: "yellow",
    Result.SKIPPED: "dim",
}
KEPT = "in an earlier attempt"
"""How long ago a job ended that a rerun counts as it was."""
LEVELS: dict[str, Style] = {"error": "red", "warning": "yellow", "notice": "cyan", "debug": "dim"}


def annotation_text(event: Annotation, terminal: Terminal) -> str:
    """`error: file.py:3:1: message`, with as much of the place as is known."""
    place = ":".join(
        event.properties[key] for key in ("file", "line", "col") if event.properties.get(key)
    )
    head = terminal.paint(f"{event.level}:", LEVELS.get(event.level, "cyan"))
    lines = [*event.message.splitlines()]
    if title := event.properties.get("title"):
        lines.insert(0, title)
    message = visible("; ".join(lines))
    return f"{head} {visible(place)}: {message}" if place else f"{head} {message}"


def format_seconds(seconds: float) -> str:
    """`0.4s`, `12.3s`, `2m 05s`, `1h 02m`."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    return f"{minutes // 60}h {minutes % 60:02}m"


def count(number: int, noun: str) -> str:
    """`1 job`, `3 jobs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
