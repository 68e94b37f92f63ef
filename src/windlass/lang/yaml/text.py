"""From bytes to text that YAML allows, with every place that keeps it from being so."""

from __future__ import annotations

import re
from functools import cache

from windlass.lang.diagnostics import Diagnostic
from windlass.lang.positions import Position, Span

MAX_CHARACTERS = 1024 * 1024
"""The largest workflow file GitHub reads (actions/runner, WorkflowParser/ParseOptions.cs)."""

MAX_REPORTED = 10
"""How many bad characters of one file are reported."""


def decode(path: str, data: bytes) -> str | Diagnostic:
    """Return the text of a UTF-8 file without its byte order mark, or what is wrong with it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _not_utf8(path, data, error.start)
    if len(text) > MAX_CHARACTERS:
        return Diagnostic(
            code="file-too-large",
            message=f"The maximum file size of {MAX_CHARACTERS} characters has been exceeded",
            span=_point(path, Position(1, 1)),
            hint=f"The file has {len(text)} characters; split it or call a reusable workflow.",
        )
    return text


def check_characters(path: str, text: str) -> list[Diagnostic]:
    """Return a diagnostic for each character that YAML does not allow, at most ten."""
    found: list[Diagnostic] = []
    for match in _forbidden(is_ascii=text.isascii()).finditer(text):
        found.append(_forbidden_character(path, text, match.start()))
        if len(found) == MAX_REPORTED:
            break
    return found


def position_of(text: str, index: int) -> Position:
    """Return the line and column of a place in a text."""
    line = text.count("\n", 0, index) + 1
    return Position(line, index - text.rfind("\n", 0, index))


@cache
def _forbidden(*, is_ascii: bool) -> re.Pattern[str]:
    """Match what YAML 1.2 calls not printable (https://yaml.org/spec/1.2.2/#51-character-set).

    To compile all of it takes longer than to read most files, and those are ASCII.
    """
    if is_ascii:
        return re.compile("[^\t\n\r -~]")
    return re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _not_utf8(path: str, data: bytes, index: int) -> Diagnostic:
    before = data[:index].decode()
    hint = "Save the file as UTF-8."
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        hint = "The file is UTF-16; save it as UTF-8."
    return Diagnostic(
        code="not-utf8",
        message=f"The file is not UTF-8: the byte 0x{data[index]:02x} was found",
        span=_point(path, position_of(before, len(before))),
        hint=hint,
    )


def _forbidden_character(path: str, text: str, index: int) -> Diagnostic:
    return Diagnostic(
        code="yaml-character",
        message=f"The character U+{ord(text[index]):04X} is not allowed in YAML",
        span=_point(path, position_of(text, index)),
        hint='Remove it, or write it as an escape in a double-quoted string, e.g. "\\e".',
    )


def _point(path: str, at: Position) -> Span:
    return Span(path, at, Position(at.line, at.column + 1))
