"""Where a runner command begins and ends in a line.

Source: actions/runner src/Runner.Common/ActionCommand.cs (TryParse and TryParseV2)
"""

from __future__ import annotations

import pytest

from windlass.lang.commands import RunnerCommand, parse_command

REGISTERED = frozenset({"warning", "group", "endgroup"})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            "##[group]a ##[endgroup]b", RunnerCommand("group", "a ##[endgroup]b"), id="first-marker"
        ),
        pytest.param("] x ##[group]a", RunnerCommand("group", "a"), id="bracket-before"),
        pytest.param("##[group]a]b", RunnerCommand("group", "a]b"), id="bracket-in-data"),
        pytest.param("##[group", None, id="no-bracket"),
        pytest.param("]##[group", None, id="bracket-only-before"),
        pytest.param("::group::a::b", RunnerCommand("group", "a::b"), id="marker-in-data"),
        pytest.param("::group", None, id="no-second-marker"),
        pytest.param("::", None, id="one-marker"),
        pytest.param("::::", None, id="no-name"),
        pytest.param(
            "::warning file=Xa,Xb=c::m",
            RunnerCommand("warning", "m", {"file": "Xa", "Xb": "c"}),
            id="any-letter-begins-a-key-or-value",
        ),
        pytest.param(
            "::warning ==file==a=b=::m",
            RunnerCommand("warning", "m", {"file": "a=b="}),
            id="equals-signs-in-front",
        ),
        pytest.param(
            "::warning  \x1cfile=a \u3000::m",
            RunnerCommand("warning", "m", {"\x1cfile": "a"}),
            id="blanks-are-those-of-dotnet",
        ),
        pytest.param(
            "::warning file=a,FILE=b::m",
            RunnerCommand("warning", "m", {"file": "b"}),
            id="the-last-value-under-the-first-spelling",
        ),
    ],
)
def test_command(line: str, expected: RunnerCommand | None) -> None:
    """Name, data and properties are cut where the runner cuts them."""
    assert parse_command(line, REGISTERED) == expected
