"""Colour, width and harmless text."""

from __future__ import annotations

import io

import pytest

from windlass.cli.terminal import Terminal, cut, open_terminal, visible, width_of


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "colour", "live"),
    [
        (Screen(), {"TERM": "xterm"}, True, True),
        (Screen(), {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        (Screen(), {"TERM": "xterm", "NO_COLOR": "1"}, False, True),
        (Screen(), {"TERM": "dumb"}, False, False),
        (io.StringIO(), {"TERM": "xterm"}, False, False),
    ],
    ids=["terminal", "empty NO_COLOR", "NO_COLOR", "dumb", "file"],
)
def test_colour_only_where_it_is_wanted(
    stream: io.StringIO, variables: dict[str, str], colour: bool, live: bool
) -> None:
    """Colour needs a terminal that can show it and a user who did not refuse it."""
    terminal = open_terminal(stream, variables)

    assert (terminal.colour, terminal.is_live) == (colour, live)


def test_paint() -> None:
    """Styles become escape codes only where there is colour."""
    plain = Terminal(io.StringIO(), is_live=False, colour=False)
    colourful = Terminal(io.StringIO(), is_live=True, colour=True)

    assert plain.paint("x", "bold", "red") == "x"
    assert colourful.paint("x", "bold", "red") == "\x1b[1;31mx\x1b[0m"
    assert colourful.paint("", "red") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "␛[31mred"),
        ("a\tb", "a   b"),
        ("nul\0 bell\a del\x7f", "nul␀ bell␇ del␡"),
        ("right\u202eleft", "right\ufffdleft"),
        ("c1\x9b", "c1\ufffd"),
        ("ünï 漢", "ünï 漢"),
    ],
)
def test_text_from_elsewhere_cannot_steer_the_terminal(text: str, shown: str) -> None:
    """Control characters are shown as pictures, never sent."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("ﬀ", 1), ("", 0)]
)
def test_width(text: str, columns: int) -> None:
    """Wide characters take two columns, combining ones none."""
    assert width_of(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("short", 9, "short"),
        ("exactly", 7, "exactly"),
        ("too long", 6, "too l…"),
        ("漢字漢", 5, "漢字…"),
    ],
)
def test_cut(text: str, columns: int, shown: str) -> None:
    """A text that is too long ends in an ellipsis and fits."""
    assert cut(text, columns) == shown


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "a │ ✓ done… é\n"),
        ("latin-1", "a | + done~ é\n"),
        ("ascii", "a | + done~ \\xe9\n"),
    ],
)
def test_marks_that_a_stream_cannot_take(encoding: str, shown: str) -> None:
    """Where the encoding has no such marks, letters and signs of every keyboard stand for them."""
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding=encoding)

    open_terminal(stream).write("a │ ✓ done… é\n")

    assert data.getvalue().decode(encoding) == shown
