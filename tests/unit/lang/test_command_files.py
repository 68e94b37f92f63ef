"""Command files as text: the cases of src/Test/L0/Worker/SetEnvFileCommandL0.cs and more."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.lang.command_files import Entries, decode_file, parse_entries, parse_lines


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        pytest.param("", (), id="empty-file"),
        pytest.param("\n\nA=1\n\nB=2\n\n", (("A", "1"), ("B", "2")), id="empty-lines"),
        pytest.param("A=1", (("A", "1"),), id="no-end-of-line"),
        pytest.param("A=", (("A", ""),), id="empty-value"),
        pytest.param("=x", (("", "x"),), id="empty-name"),
        pytest.param("A=b=c", (("A", "b=c"),), id="equals-in-value"),
        pytest.param(" A = b ", ((" A ", " b "),), id="spaces-are-kept"),
        pytest.param("A=x<<END", (("A", "x<<END"),), id="equals-before-heredoc"),
        pytest.param("A=1\r\n", (("A", "1\r"),), id="carriage-return-is-kept"),
        pytest.param("A<<END\none\ntwo\nEND\n", (("A", "one\ntwo"),), id="heredoc"),
        pytest.param("A<<END\nEND\n", (("A", ""),), id="heredoc-empty"),
        pytest.param("A<<END\nEND", (("A", ""),), id="heredoc-end-without-line-end"),
        pytest.param("A<<END\n\nEND\n", (("A", ""),), id="heredoc-one-empty-line"),
        pytest.param("A<<END\n\n\nEND\n", (("A", "\n"),), id="heredoc-two-empty-lines"),
        pytest.param("A<<END\n\nx\n\nEND\n", (("A", "\nx\n"),), id="heredoc-edges-kept"),
        pytest.param("A<<END\n END\nEND \nEND\n", (("A", " END\nEND "),), id="heredoc-exact-end"),
        pytest.param("A<<B=C\nx\nB=C\n", (("A", "x"),), id="heredoc-before-equals"),
        pytest.param("A<<<<\nx\n<<\n", (("A", "x"),), id="heredoc-odd-delimiter"),
        pytest.param("A<<E\r\nx\r\nE\r\n", (("A", "x\r"),), id="heredoc-carriage-returns"),
        pytest.param("A<<E\nB=1\nE\nC=2\n", (("A", "B=1"), ("C", "2")), id="heredoc-then-line"),
        pytest.param("A=1\nA=2\n", (("A", "1"), ("A", "2")), id="twice-in-order"),
        pytest.param("A=\u00e4\U0001f600\n", (("A", "\u00e4\U0001f600"),), id="unicode"),
    ],
)
def test_entries(text: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """A file is names and values, in order."""
    assert Entries(pairs) == parse_entries(text)


@pytest.mark.parametrize(
    ("text", "pairs", "problem"),
    [
        pytest.param("A", (), "Invalid format 'A'", id="no-separator"),
        pytest.param("A=1\nB\nC=3", (("A", "1"),), "Invalid format 'B'", id="after-good-line"),
        pytest.param(
            "<<END\nx\nEND\n",
            (),
            "Invalid format '<<END'. Name must not be empty and delimiter must not be empty",
            id="no-name",
        ),
        pytest.param(
            "A<<\nx\n\n",
            (),
            "Invalid format 'A<<'. Name must not be empty and delimiter must not be empty",
            id="no-delimiter",
        ),
        pytest.param(
            "A<<END\nx\n", (), "Invalid value. Matching delimiter not found 'END'", id="no-end"
        ),
        pytest.param(
            "A<<END", (), "Invalid value. Matching delimiter not found 'END'", id="nothing-after"
        ),
        pytest.param(
            "A<<END\nx", (), "Invalid value. EOF marker missing new line.", id="cut-in-value"
        ),
    ],
)
def test_mistake(text: str, pairs: tuple[tuple[str, str], ...], problem: str) -> None:
    """A mistake is told in the runner's words, and ends the reading."""
    assert Entries(pairs, problem) == parse_entries(text)


def test_bug_08_an_empty_line_is_no_mistake() -> None:
    """Empty lines between entries are skipped, and those that begin a value are kept."""
    assert Entries((("A", "\nx"), ("B", "1"))) == parse_entries("\nA<<E\n\nx\nE\n\nB=1\n")


def test_bug_08_order_is_kept() -> None:
    """Entries come in the order of the file."""
    assert [f"N{n}" for n in range(50)] == [
        name for name, _ in parse_entries("".join(f"N{n}=x\n" for n in range(50))).pairs
    ]


def test_long_value() -> None:
    """A value of 10 MB is one value."""
    value = "\n".join(["x" * 99] * 100_000)
    entries = parse_entries(f"A<<END\n{value}\nEND\n")

    assert Entries((("A", value),)) == entries


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"A=1", "A=1", id="utf-8"),
        pytest.param(codecs.BOM_UTF8 + b"A=1", "A=1", id="utf-8-mark"),
        pytest.param("A=\u00e4".encode("utf-16"), "A=\u00e4", id="utf-16-mark"),
        pytest.param("A=\u00e4".encode("utf-32"), "A=\u00e4", id="utf-32-mark"),
        pytest.param(b"A=\xff", "A=\ufffd", id="not-utf-8"),
    ],
)
def test_encoding(data: bytes, text: str) -> None:
    """A byte order mark decides; without one a file is UTF-8."""
    assert text == decode_file(data)


def test_path_lines() -> None:
    """GITHUB_PATH has a folder a line, however lines end; File.ReadAllLines splits so."""
    assert parse_lines("/a\n\n/b\r\n/c d\r/e") == ("/a", "/b", "/c d", "/e")


@given(st.text(alphabet=st.sampled_from("AB=<\n\rE"), max_size=40))
def test_never_raises(text: str) -> None:
    """Every text is entries up to a mistake, if there is one."""
    entries = parse_entries(text)

    assert all(isinstance(name, str) for name, _ in entries.pairs)
    assert entries.problem is None or entries.problem.startswith("Invalid ")


@given(
    st.dictionaries(
        st.text(alphabet="ABCXYZ_", min_size=1, max_size=8), st.text(max_size=60), max_size=5
    )
)
def test_heredoc_carries_any_value(values: dict[str, str]) -> None:
    """What the toolkit writes with a random delimiter comes back as it was."""
    text = "".join(f"{name}<<ghadelimiter_1\n{v}\nghadelimiter_1\n" for name, v in values.items())

    assert Entries(tuple(values.items())) == parse_entries(text)
