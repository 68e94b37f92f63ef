"""A line of arguments → words.

Expected values: what .NET makes of ProcessStartInfo.Arguments
(https://learn.microsoft.com/dotnet/api/system.environment.getcommandlineargs, "Remarks";
dotnet/runtime Process.Unix.cs).
"""

from __future__ import annotations

import pytest

from windlass.jobs.containers.words import split_words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        (" \t ", []),
        ("a  b\tc", ["a", "b", "c"]),
        ("a\nb", ["a\nb"]),
        ("'a b'", ["'a", "b'"]),
        ('"a b" c', ["a b", "c"]),
        ('a"b c"d', ["ab cd"]),
        ('""', [""]),
        ('"a""b"', ['a"b']),
        (r"\"a\"", ['"a"']),
        (r"\\", ["\\\\"]),
        (r"a\b", ["a\\b"]),
        (r'"a\\" b', ["a\\", "b"]),
        (r'"a\\\"b"', ['a\\"b']),
        (r'a\\\\"b c"', ["a\\\\b c"]),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    """Blanks end a word, double quotes hold one together, backslashes protect only quotes."""
    assert split_words(line) == words
