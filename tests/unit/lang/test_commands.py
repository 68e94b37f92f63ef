"""Runner commands as lines of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.lang.commands import RunnerCommand, parse_command

REGISTERED = frozenset({"set-output", "error", "group", "add-mask", "do-something"})


# What is expected follows actions/runner src/Test/L0/Worker/ActionCommandL0.cs.
@pytest.mark.parametrize(
    ("line", "name", "properties", "data"),
    [
        pytest.param("::do-something k1=v1,::msg", "do-something", {"k1": "v1"}, "msg", id="v2"),
        pytest.param("::do-something::", "do-something", {}, "", id="v2-nothing-else"),
        pytest.param(
            "::do-something k1=%253B=%250D=%250A=%255D,::%253B-%250D-%250A-%255D-%253A-%252C",
            "do-something",
            {"k1": "%3B=%0D=%0A=%5D"},
            "%3B-%0D-%0A-%5D-%3A-%2C",
            id="v2-escaped-percent",
        ),
        pytest.param(
            "::do-something k1=,k2=,::",
            "do-something",
            {},
            "",
            id="v2-empty-properties",
        ),
        pytest.param("::do-something k1=v1::", "do-something", {"k1": "v1"}, "", id="v2-no-data"),
        pytest.param("   ::do-something k1=v1,::", "do-something", {"k1": "v1"}, "", id="v2-lead"),
        pytest.param("##[do-something k1=v1;]msg", "do-something", {"k1": "v1"}, "msg", id="v1"),
        pytest.param("##[do-something]", "do-something", {}, "", id="v1-nothing-else"),
        pytest.param(
            "##[do-something k1=%3B=%0D=%0A=%5D;]%3B-%0D-%0A-%5D",
            "do-something",
            {"k1": ";=\r=\n=]"},
            ";-\r-\n-]",
            id="v1-escapes",
        ),
        pytest.param(">>>   ##[do-something k1=;k2=;]", "do-something", {}, "", id="v1-anywhere"),
        pytest.param("::ERROR File=a::x", "ERROR", {"File": "a"}, "x", id="case-is-kept"),
        pytest.param("::error a=1,A=2::x", "error", {"a": "2"}, "x", id="last-spelling-wins"),
        pytest.param("::error title=a%3Ab%2Cc::x", "error", {"title": "a:b,c"}, "x", id="property"),
        pytest.param("::group::a::b::c", "group", {}, "a::b::c", id="colons-in-data"),
        pytest.param("::group::%3A", "group", {}, "%3A", id="colon-is-no-escape-in-data"),
        pytest.param("\u2003::group::x", "group", {}, "x", id="unicode-space"),
    ],
)
def test_command(line: str, name: str, properties: dict[str, str], data: str) -> None:
    """A line that names a registered command is split into name, properties and data."""
    expected = RunnerCommand(name, data, properties)

    assert expected == parse_command(line, REGISTERED)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("", id="empty"),
        pytest.param("hello", id="text"),
        pytest.param("::unknown::x", id="unknown-command"),
        pytest.param("say ::error::x", id="v2-not-at-start"),
        pytest.param("::error x", id="v2-no-second-marker"),
        pytest.param("##[error x", id="v1-no-end"),
        pytest.param("##[warn]x", id="v1-unknown"),
        pytest.param("::", id="marker-alone"),
        pytest.param("::::", id="no-name"),
        pytest.param(":: error::x", id="space-before-name"),
        pytest.param("\x1c::error::x", id="separator-is-no-space"),
    ],
)
def test_plain_output(line: str) -> None:
    """Any other line is plain output."""
    assert parse_command(line, REGISTERED) is None


def test_bug_05_escapes_are_decoded_in_a_fixed_order() -> None:
    """`%250A` is the text `%0A`, always: the percent sign is decoded last."""
    command = parse_command("::group::%250A", REGISTERED)

    assert RunnerCommand("group", "%0A") == command


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("::set-output name=x,y=a=b::v", {"name": "x", "y": "a=b"}),
        ("::set-output name=x,url=https%3A//a?b=c==::v", {"name": "x", "url": "https://a?b=c=="}),
        ("::set-output name==x::v", {"name": "x"}),
        ("::set-output =name=x::v", {"name": "x"}),
    ],
)
def test_bug_06_an_equals_sign_may_stand_in_a_value(line: str, expected: dict[str, str]) -> None:
    """Only the first `=` separates; what the runner's split drops in front is dropped here."""
    command = parse_command(line, REGISTERED)

    assert command is not None
    assert expected == command.properties


def test_bug_06_an_unknown_command_is_output() -> None:
    """`::x::` is a line like any other."""
    assert parse_command("::x::", REGISTERED) is None


def test_property_lookup_ignores_case() -> None:
    """`endLine` and `ENDLINE` are one property."""
    command = parse_command("::error ENDLINE=3::x", REGISTERED)

    assert command is not None
    assert command.get("endLine") == "3"
    assert command.get("line") is None


@given(st.lists(st.sampled_from([*":#[]=,; %0A2D5", "error", "::"]), max_size=40).map("".join))
def test_never_raises(line: str) -> None:
    """Every line is a command or it is not."""
    command = parse_command(line, REGISTERED)

    assert command is None or command.name.lower() in REGISTERED


@given(st.text(max_size=30))
def test_data_survives_escaping(text: str) -> None:
    """What the toolkit escapes comes back as it was."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    command = parse_command(f"::group::{escaped}", REGISTERED)

    assert command is not None
    assert text == command.data
