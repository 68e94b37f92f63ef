"""How a diagnostic looks: place, message, snippet, caret, related places, hint, summary."""

from __future__ import annotations

import io
import json
from pathlib import Path
from textwrap import dedent

import pytest

from windlass.cli.diagnostics import Sources, diagnostics_as_json, print_diagnostics, render
from windlass.cli.terminal import Terminal
from windlass.lang.diagnostics import Diagnostic, Related, Severity
from windlass.lang.positions import Position, Span

PLAIN = Terminal(io.StringIO(), is_live=False, colour=False)


def span(line: int, column: int, end_line: int, end_column: int) -> Span:
    return Span("ci.yml", Position(line, column), Position(end_line, end_column))


def rendered(folder: Path, text: str | bytes, diagnostic: Diagnostic) -> str:
    content = text.encode() if isinstance(text, str) else text
    (folder / "ci.yml").write_bytes(content)
    return render(diagnostic, Sources(folder), PLAIN)


def test_all_parts(tmp_path: Path) -> None:
    """Place, severity, message, code, snippet, related place and hint, in this order."""
    diagnostic = Diagnostic(
        code="duplicate-step-id",
        message="step id 'a' is used twice",
        span=span(2, 7, 2, 8),
        related=(Related("first used here", span(1, 7, 1, 8)),),
        hint="choose another id",
    )

    assert rendered(tmp_path, "- id: a\n- id: a\n", diagnostic) == dedent(
        """\
        ci.yml:2:7: error: step id 'a' is used twice [duplicate-step-id]
          2 | - id: a
            |       ^
          ci.yml:1:7: first used here
          1 | - id: a
            |       ^
          hint: choose another id"""
    )


@pytest.mark.parametrize(
    ("text", "place", "line", "underline"),
    [
        ("a: bad\n", (1, 4, 1, 7), "a: bad", "   ^^^"),
        ("\ta: bad\n", (1, 5, 1, 8), "    a: bad", "       ^^^"),
        ("ab\tbad\n", (1, 4, 1, 7), "ab  bad", "    ^^^"),
        ("漢: bad\n", (1, 4, 1, 7), "漢: bad", "    ^^^"),
        ("a: 漢字 x\n", (1, 4, 1, 6), "a: 漢字 x", "   ^^^^"),
        ("a: |\n  b\n  c\n", (1, 4, 3, 4), "a: |", "   ^"),
        ("a: \n", (1, 4, 1, 4), "a:", "   ^"),
        ("a: x\r\nb: y\r\n", (2, 4, 2, 5), "b: y", "   ^"),
        ("a: \x1b[31m\n", (1, 4, 1, 9), "a: ␛[31m", "   ^^^^^"),
        ("\ufeffa: x\n", (1, 4, 1, 5), "a: x", "   ^"),
        ("a: x\n", (1, 90, 1, 99), "a: x", "    ^"),
    ],
    ids=[
        "word", "leading tab", "tab between", "wide before", "wide marked", "several lines",
        "nothing", "CRLF", "control characters", "byte order mark", "beyond the end",
    ],
)  # fmt: skip
def test_the_caret_stands_under_the_place(
    tmp_path: Path, text: str, place: tuple[int, int, int, int], line: str, underline: str
) -> None:
    """The marked part is underlined in columns as a terminal shows them."""
    shown = rendered(tmp_path, text, Diagnostic(code="x", message="m", span=span(*place)))

    number = place[0]
    assert shown.splitlines()[1:] == [f"  {number} | {line}", f"    | {underline}"]


@pytest.mark.parametrize(
    ("before", "marked", "after"),
    [(200, 5, 200), (0, 400, 0), (0, 5, 400), (400, 400, 400)],
    ids=["middle", "all", "start", "long everywhere"],
)
def test_long_lines_are_cut_around_the_place(
    tmp_path: Path, before: int, marked: int, after: int
) -> None:
    """A line of thousands of characters shows the marked part and its neighbourhood."""
    text = "b" * before + "M" * marked + "a" * after
    shown = rendered(
        tmp_path,
        text,
        Diagnostic(code="x", message="m", span=span(1, before + 1, 1, before + marked + 1)),
    )

    _, line, underline = shown.splitlines()
    assert len(line) <= 110
    assert len(underline) <= 110
    assert line[underline.index("^")] == "M"


def test_a_file_that_cannot_be_shown_has_no_snippet(tmp_path: Path) -> None:
    """Binary, missing or shorter files leave the place and the message."""
    diagnostic = Diagnostic(code="x", message="m", span=span(9, 1, 9, 2))

    assert rendered(tmp_path, b"\xff\xfe\x00", diagnostic) == "ci.yml:9:1: error: m [x]"
    assert render(diagnostic, Sources(tmp_path / "gone"), PLAIN) == "ci.yml:9:1: error: m [x]"


def test_without_a_place() -> None:
    """A diagnostic about no file starts with its severity; its message stays on one line."""
    diagnostic = Diagnostic(code="x", message="two\nlines\x07", severity=Severity.NOTICE)

    assert render(diagnostic, Sources(Path()), PLAIN) == "notice: two lines␇ [x]"


@pytest.mark.parametrize(
    ("severities", "summary"),
    [
        (["error"], "1 error"),
        (["error", "error", "warning"], "2 errors, 1 warning"),
        (["notice", "notice"], "2 notices"),
    ],
)
def test_the_last_line_counts(severities: list[str], summary: str) -> None:
    """Severities are counted, the worst first."""
    stream = io.StringIO()
    found = [Diagnostic(code="x", message="m", severity=Severity(text)) for text in severities]
    print_diagnostics(Terminal(stream, is_live=False, colour=False), found, Sources(Path()))

    assert stream.getvalue().splitlines()[-1] == summary


def test_json(tmp_path: Path) -> None:
    """`--json` has every field, with lines and columns from 1."""
    diagnostic = Diagnostic(code="x", message="m", span=span(2, 7, 2, 8), hint="h")

    assert json.loads(diagnostics_as_json([diagnostic])) == {
        "diagnostics": [
            {
                "code": "x",
                "severity": "error",
                "message": "m",
                "path": "ci.yml",
                "line": 2,
                "column": 7,
                "end_line": 2,
                "end_column": 8,
                "related": [],
                "hint": "h",
            }
        ]
    }
