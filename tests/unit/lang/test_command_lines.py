"""A line of arguments is taken apart as .NET does it for the runner."""

from __future__ import annotations

import pytest

from windlass.lang.command_lines import split_arguments


# Rows of dotnet/runtime's tests of Process arguments (ProcessStartInfoTests, ProcessTests.cs).
@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ('"abc" d e', ["abc", "d", "e"]),
        ('"abc"      d e', ["abc", "d", "e"]),
        ('"abc"\t\td\te', ["abc", "d", "e"]),
        (r"a\\b d\"e f\"g h", [r"a\\b", 'd"e', 'f"g', "h"]),
        (r"\ \\ \\\ ", ["\\", "\\\\", "\\\\\\"]),
        (r"a\\\"b c d", [r"a\"b", "c", "d"]),
        (r'a\\\\"b c" d e', [r"a\\b c", "d", "e"]),
        (r'a"b c"d e"f g"h i"j k"l', ["ab cd", "ef gh", "ij kl"]),
        ('a b c"def', ["a", "b", "cdef"]),
        ('"a ""b"" c"', ['a "b" c']),
        ('"" x', ["", "x"]),
        ("", []),
    ],
)
def test_arguments(line: str, arguments: list[str]) -> None:
    """A line of arguments is split as .NET splits it."""
    assert arguments == split_arguments(line)


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param(" \t ", [], id="blanks"),
        pytest.param("a  b\tc ", ["a", "b", "c"], id="blanks_and_tabs_separate"),
        pytest.param("a\nb", ["a\nb"], id="breaks_do_not"),
        pytest.param('"a b" c', ["a b", "c"], id="quotes_keep_together"),
        pytest.param("'a b'", ["'a", "b'"], id="single_quotes_do_not"),
        pytest.param('a"b c"d', ["ab cd"], id="quotes_within"),
        pytest.param('""', [""], id="an_empty_one"),
        pytest.param('"a""b"', ['a"b'], id="two_quotes_within_quotes"),
        pytest.param(r"\"a", ['"a'], id="a_quote_after_a_backslash"),
        pytest.param(r'"a\\" b', ["a\\", "b"], id="a_quote_after_two_backslashes"),
        pytest.param(r"C:\x \y\ ", ["C:\\x", "\\y\\"], id="backslashes_elsewhere"),
        pytest.param('"open end', ["open end"], id="quotes_that_do_not_end"),
        pytest.param("$HOME *", ["$HOME", "*"], id="no_shell"),
    ],
)
def test_arguments_are_taken_apart_as_by_dotnet(text: str, arguments: list[str]) -> None:
    """`with.args` is a command line of the runner's, not of a shell."""
    assert split_arguments(text) == arguments
