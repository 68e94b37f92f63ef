"""How the markers in a step's output look to a person."""

from __future__ import annotations

import io

import pytest

from windlass.cli.step_output import StepOutput
from windlass.cli.terminal import Terminal


def laid_out(text: str, *, colour: bool = False) -> list[str]:
    terminal = Terminal(io.StringIO(), is_live=True, colour=colour)
    return "\n".join(StepOutput(terminal).lines(text, "> ")).split("\n")


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        pytest.param("plain", ["> plain"], id="plain"),
        pytest.param(
            "##[group]Title\none\n##[endgroup]\ntwo", ["> ▾ Title", ">   one", "> two"], id="group"
        ),
        pytest.param("##[error]no disk", ["> error: no disk"], id="error"),
        pytest.param("##[warning]old", ["> warning: old"], id="warning"),
        pytest.param("##[notice]new", ["> notice: new"], id="notice"),
        pytest.param("##[debug]why", ["> debug: why"], id="debug"),
        pytest.param("##[command]git version", ["> git version"], id="command"),
        pytest.param("##[section]Build", ["> Build"], id="section"),
        pytest.param("##[unknown]x", ["> ##[unknown]x"], id="not a marker of GitHub's"),
        pytest.param("say ##[error]x", ["> say ##[error]x"], id="not at the start"),
        pytest.param("##[error]a\x1b[2Jb", ["> error: ab"], id="escape codes"),
        pytest.param("##[group]a\x1b[2Jb", ["> ▾ ab"], id="escape codes in a title"),
    ],
)
def test_markers(printed: str, shown: list[str]) -> None:
    """Groups, annotations and the runner's other markers are words; all else is as it was."""
    assert laid_out(printed) == shown


def test_markers_have_colours() -> None:
    """What a marker says is in its colour where the terminal has some."""
    lines = laid_out("##[error]x\n##[command]ls\n##[section]Build", colour=True)

    assert lines == ["> \x1b[31merror:\x1b[0m x", "> \x1b[36mls\x1b[0m", "> \x1b[32mBuild\x1b[0m"]


def test_a_group_goes_on_in_the_next_part() -> None:
    """Output comes in parts; what is open at the end of one is open in the next."""
    output = StepOutput(Terminal(io.StringIO(), is_live=True, colour=False))

    assert list(output.lines("##[group]Title", "")) == ["▾ Title"]
    assert list(output.lines("one\ntwo", "")) == ["  one\n  two"]
    assert list(output.lines("##[endgroup]", "")) == []
    assert list(output.lines("three", "")) == ["three"]
