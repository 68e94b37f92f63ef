"""Command files with damaged bytes and with lines that look like both kinds of entry.

Source: actions/runner src/Runner.Worker/FileCommandManager.cs
"""

from __future__ import annotations

import pytest

from windlass.lang.command_files import MOST_ENTRIES, Entries, decode_file, parse_entries


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xff\xfea\x00b", "a\ufffd"),
        (b"\xfe\xff\x00a\x00", "a\ufffd"),
        (b"\xef\xbb\xbfa\xff", "a\ufffd"),
        (b"a\xff", "a\ufffd"),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", "a"),
    ],
)
def test_bad_bytes_are_replaced(data: bytes, text: str) -> None:
    """Whatever the byte order mark says, no byte makes reading fail."""
    assert decode_file(data) == text


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("a=b<<c\n", Entries((("a", "b<<c"),))),
        ("a<<E=F\nx\nE=F\n", Entries((("a", "x"),))),
        (
            "<<A=b\n",
            Entries(
                (),
                ("Invalid format '<<A=b'. Name must not be empty and delimiter must not be empty"),
            ),
        ),
        ("=b\n", Entries((("", "b"),))),
    ],
)
def test_what_comes_first_decides(text: str, entries: Entries) -> None:
    """An equals sign before `<<` makes a line, one after it belongs to the delimiter."""
    assert parse_entries(text) == entries


def test_entries_are_limited() -> None:
    """What comes before the entry too many is kept, and what is wrong is said."""
    text = "a=1\n" * (MOST_ENTRIES + 1)

    entries = parse_entries(text)

    assert entries.pairs == (("a", "1"),) * MOST_ENTRIES
    assert entries.problem == f"There are more than {MOST_ENTRIES} entries"
