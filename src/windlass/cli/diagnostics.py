"""Diagnostics for people: place, message, the line with a caret, and what to do next."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from windlass.cli.terminal import TAB_WIDTH, Terminal, visible, width_of
from windlass.lang.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from windlass.cli.terminal import Style
    from windlass.lang.diagnostics import Diagnostic
    from windlass.lang.positions import Span

STYLES: dict[Severity, Style] = {
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.NOTICE: "cyan",
}
WORKFLOW_EXIT_CODE = 1
CALL_EXIT_CODE = 2
SNIPPET_WIDTH = 100
LEAD = 24
"""Columns of text that stay visible before the marked place when a long line is cut."""


class Sources:
    """The lines of the files that diagnostics point into, read once each from below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lines: dict[str, list[str]] = {}

    def line(self, path: str, number: int) -> str | None:
        """Return one line, counted from 1, or None where there is no such line to show."""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        lines = self._lines[path]
        return lines[number - 1] if 1 <= number <= len(lines) else None

    def _read(self, path: str) -> list[str]:
        try:
            text = (self._root / path).read_bytes().decode("utf-8", errors="replace")
        except (OSError, ValueError):
            return []
        return re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))


def print_diagnostics(
    terminal: Terminal, diagnostics: Sequence[Diagnostic], sources: Sources
) -> None:
    """Write every diagnostic, a blank line after each, and one line that counts them."""
    for diagnostic in diagnostics:
        terminal.write(render(diagnostic, sources, terminal) + "\n\n")
    if diagnostics:
        terminal.write(summarise(diagnostics, terminal) + "\n")


def render(diagnostic: Diagnostic, sources: Sources, terminal: Terminal) -> str:
    """Lay out one diagnostic over several lines, without a final newline."""
    style = STYLES[diagnostic.severity]
    head = f"{terminal.paint(f'{diagnostic.severity}:', 'bold', style)} {_flat(diagnostic.message)}"
    head += terminal.paint(f" [{diagnostic.code}]", "dim")
    lines = [head]
    if diagnostic.span is not None:
        lines[0] = f"{terminal.paint(f'{diagnostic.span}:', 'bold')} {head}"
        lines += _snippet(diagnostic.span, sources, terminal, style)
    for related in diagnostic.related:
        lines.append(f"  {related.span}: {_flat(related.message)}")
        lines += _snippet(related.span, sources, terminal, "cyan")
    if diagnostic.hint is not None:
        lines.append(f"  {terminal.paint('hint:', 'cyan')} {_flat(diagnostic.hint)}")
    return "\n".join(lines)


def summarise(diagnostics: Iterable[Diagnostic], terminal: Terminal) -> str:
    """Count by severity: `2 errors, 1 warning`."""
    counts = Counter(diagnostic.severity for diagnostic in diagnostics)
    parts = [
        terminal.paint(f"{counts[severity]} {severity}{'s' * (counts[severity] != 1)}", style)
        for severity, style in STYLES.items()
        if counts[severity]
    ]
    return ", ".join(parts) or terminal.paint("no problems found", "green")


def diagnostic_as_json(diagnostic: Diagnostic) -> dict[str, object]:
    """Flatten a diagnostic for `--json`: lines and columns count from 1, `end` is exclusive."""
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        **(span_as_json(diagnostic.span) if diagnostic.span else {}),
        "related": [
            {"message": related.message, **span_as_json(related.span)}
            for related in diagnostic.related
        ],
        "hint": diagnostic.hint,
    }


def diagnostics_as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Write diagnostics as one indented JSON document with a final newline."""
    rows = [diagnostic_as_json(diagnostic) for diagnostic in diagnostics]
    return json.dumps({"diagnostics": rows}, indent=2) + "\n"


def exit_code_for(diagnostics: Iterable[Diagnostic]) -> int:
    """0 without errors; 2 if one is about the call itself, having no place in a file; else 1."""
    errors = [found for found in diagnostics if found.severity is Severity.ERROR]
    if any(found.span is None for found in errors):
        return CALL_EXIT_CODE
    return WORKFLOW_EXIT_CODE if errors else 0


def span_as_json(span: Span) -> dict[str, object]:
    """Flatten a place in the same way."""
    return {
        "path": span.path,
        "line": span.start.line,
        "column": span.start.column,
        "end_line": span.end.line,
        "end_column": span.end.column,
    }


def _flat(message: str) -> str:
    return visible(" ".join(message.split("\n")))


def _snippet(span: Span, sources: Sources, terminal: Terminal, style: Style) -> list[str]:
    """The line a span starts on, with the marked part underlined."""
    line = sources.line(span.path, span.start.line)
    if line is None:
        return []
    before, marked, after = _split(line, span)
    before, marked, after = _window(before, marked, after)
    number = str(span.start.line)
    gutter = " " * len(number)
    bar = terminal.paint("|", "dim")
    underline = " " * width_of(before) + terminal.paint("^" * max(width_of(marked), 1), style)
    return [
        f"  {terminal.paint(number, 'dim')} {bar} {before}{marked}{after}".rstrip(),
        f"  {gutter} {bar} {underline}",
    ]


def _split(line: str, span: Span) -> tuple[str, str, str]:
    """Cut a line before, in and after the span, with tabs expanded and controls made visible."""
    start = min(span.start.column - 1, len(line))
    end = span.end.column - 1 if span.end.line == span.start.line else len(line.rstrip())
    end = min(max(end, start), len(line))
    before = visible(line[:start])
    column = width_of(before) % TAB_WIDTH
    marked = visible(" " * column + line[start:end])[column:]
    column = (column + width_of(marked)) % TAB_WIDTH
    after = visible(" " * column + line[end:])[column:]
    return before, marked, after.rstrip()


def _window(before: str, marked: str, after: str) -> tuple[str, str, str]:
    """Show only the neighbourhood of the marked part when the line is long."""
    if len(before) + len(marked) + len(after) <= SNIPPET_WIDTH:
        return before, marked, after
    if len(before) > LEAD and len(before) + len(marked) > SNIPPET_WIDTH:
        before = "…" + before[-LEAD:]
    marked = _shorten(marked, SNIPPET_WIDTH - len(before))
    return before, marked, _shorten(after, SNIPPET_WIDTH - len(before) - len(marked))


def _shorten(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    return text[: max(length - 1, 0)] + "…"
