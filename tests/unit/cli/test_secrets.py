"""Secrets on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.cli.dotenv import parse_dotenv, read_dotenv
from windlass.cli.secrets import Secrets, gather_secrets
from windlass.errors import InputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("export A=1\n", {"A": "1"}),
        ("  A =  1  \n", {"A": "1"}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("# comment\n\nA=1 # comment\n", {"A": "1"}),
        ("A=#comment\n", {"A": ""}),
        ("A=a#b\n", {"A": "a#b"}),
        ("A=$HOME `x`\n", {"A": "$HOME `x`"}),
        ('A="x # y" # z\n', {"A": "x # y"}),
        ("A='x\"y\\n'\n", {"A": 'x"y\\n'}),
        ('A="x\\n\\"y\\"\\\\ \\d"\n', {"A": 'x\n"y"\\ \\d'}),
        ('A="one\ntwo\n"\nB=3', {"A": "one\ntwo\n", "B": "3"}),
        ("A='one\ntwo'", {"A": "one\ntwo"}),
        ("A=ünï", {"A": "ünï"}),
        ("", {}),
        ("\n  \n", {}),
    ],
)
def test_dotenv(text: str, entries: dict[str, str]) -> None:
    """KEY=VALUE lines with quotes, escapes, comments and values of several lines."""
    assert parse_dotenv(text, "f") == entries


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\nrubbish hunter2\n", "f:2:1: expected KEY=VALUE, a comment or a blank line"),
        ("1A=hunter2", "f:1:1: expected KEY=VALUE, a comment or a blank line"),
        ('A=1\nB="hunter2\n', 'f:2:3: the value is never closed with "'),
        ("A='hunter2", "f:1:3: the value is never closed with '"),
        ('A="x" hunter2', "f:1:6: unexpected text after the closing quote"),
    ],
)
def test_dotenv_mistakes_name_the_line_and_no_value(text: str, message: str) -> None:
    """A file that cannot be understood says where, without quoting what may be a secret."""
    with pytest.raises(InputError) as caught:
        parse_dotenv(text, "f")

    assert caught.value.message == message


def test_dotenv_reads_any_line_ends_and_refuses_other_encodings(tmp_path: Path) -> None:
    """CRLF and a byte order mark are fine; bytes that are not UTF-8 are an error."""
    file = tmp_path / "secrets.env"
    file.write_bytes(b'\xef\xbb\xbfA=1\r\nB="x\r\ny"\r\n')

    assert read_dotenv(file) == {"A": "1", "B": "x\ny"}

    file.write_bytes(b"A=\xff")
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_dotenv(file)


def gather(*texts: str, **options: object) -> tuple[Secrets, list[str]]:
    warnings: list[str] = []
    settings: dict[str, object] = {"variables": {}, "ask": None, "warn": warnings.append}
    return gather_secrets((), texts, **(settings | options)), warnings  # type: ignore[arg-type]


def test_a_secret_comes_from_its_variable() -> None:
    """`--secret K` reads the variable K."""
    secrets, warnings = gather("TOKEN", variables={"TOKEN": "hunter2"})

    assert dict(secrets) == {"TOKEN": "hunter2"}
    assert warnings == []


def test_a_secret_is_asked_for() -> None:
    """Without the variable, and with somebody there, the value is asked for."""
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return "hunter2"

    assert dict(gather("TOKEN", ask=ask)[0]) == {"TOKEN": "hunter2"}
    assert prompts == ["TOKEN: "]


def test_a_secret_in_the_arguments_works_and_warns() -> None:
    """`--secret K=V` works; the warning does not repeat the value."""
    secrets, [warning] = gather("TOKEN=hunter2=")

    assert dict(secrets) == {"TOKEN": "hunter2="}
    assert warning.startswith("--secret TOKEN=… shows the value to every user of this machine")
    assert "hunter2" not in warning


def test_options_win_over_files(tmp_path: Path) -> None:
    """A `--secret` replaces the entry of a `--secret-file`."""
    file = tmp_path / "f"
    file.write_text("A=file\nB=file\n")
    secrets = gather_secrets([file], ["A"], variables={"A": "variable"}, ask=None, warn=pytest.fail)

    assert dict(secrets) == {"A": "variable", "B": "file"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TOKEN", "--secret TOKEN: there is no variable TOKEN, and no terminal to ask on"),
        ("1x=v", "a secret's name may hold letters, digits and _"),
        ("a-b", "a secret's name may hold letters, digits and _"),
        ("=hunter2", "a secret's name may hold letters, digits and _"),
        ("GITHUB_X=v", "--secret GITHUB_X: names that start with GITHUB_ are GitHub's own"),
    ],
)
def test_secrets_that_cannot_be(text: str, message: str) -> None:
    """A bad name, or a value nobody can give, is an error that shows no value."""
    with pytest.raises(UsageError) as caught:
        gather(text)

    assert caught.value.message.startswith(message)
    assert "hunter2" not in caught.value.message


def test_secrets_are_never_printed() -> None:
    """Neither repr nor str nor a format shows a value."""
    secrets = Secrets({"TOKEN": "hunter2"})

    assert {repr(secrets), str(secrets), f"{secrets}", f"{secrets!r}"} == {"[redacted]"}
