r"""Files of `KEY=VALUE` lines for secrets and variables, as dotenv tools read them.

    # a comment                    export is allowed and ignored
    export TOKEN=abc               # a comment after a blank
    QUOTED="two\nlines"             double quotes: \n \r \t \\ \" are escapes
    RAW='as it is'                 single quotes: nothing is an escape
    KEY="-----BEGIN KEY-----
    …several lines…
    -----END KEY-----"

Nothing is ever expanded: `$NAME` stays as it is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_ENTRY = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*")
_HYPHENED_ENTRY = re.compile(_ENTRY.pattern.replace("A-Za-z0-9_", "A-Za-z0-9_-"))
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', flags=re.DOTALL)
_SINGLE = re.compile(r"'([^']*)'")
_BARE = re.compile(r"[^\n]*")
_ESCAPE = re.compile(r"\\(.)", flags=re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"'}


def read_dotenv(path: Path, *, called: str | None = None, hyphens: bool = False) -> dict[str, str]:
    """Read a file; a later entry replaces an earlier one of the same name.

    Messages call the file `called`. With `hyphens` names may hold them, as those of inputs do.
    Raises InputError, with line and column but never with a value, where the file cannot be
    understood.
    """
    called = called or str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{called}: not UTF-8 text (byte {error.start})") from None
    return parse_dotenv(text.replace("\r\n", "\n"), called, hyphens=hyphens)


def parse_dotenv(text: str, name: str, *, hyphens: bool = False) -> dict[str, str]:
    """Read the text of a file; `name` is how messages call it."""
    pattern = _HYPHENED_ENTRY if hyphens else _ENTRY
    entries = {}
    position = 0
    while position < len(text):
        if blank := _BLANK.match(text, position):
            position = max(blank.end(), position + 1)
            continue
        entry = pattern.match(text, position)
        if entry is None:
            raise _mistake(text, position, name, "expected KEY=VALUE, a comment or a blank line")
        entries[entry[1]], position = _read_value(text, entry.end(), name)
    return entries


def _read_value(text: str, position: int, name: str) -> tuple[str, int]:
    """Return a value and the place after its line."""
    quote = text[position : position + 1]
    if quote not in ('"', "'"):
        bare = _BARE.match(text, position)
        assert bare is not None  # noqa: S101  # the pattern matches anything, even nothing
        return re.split(r"(?:^|[ \t]+)#", bare[0])[0].strip(), bare.end() + 1
    quoted = (_DOUBLE if quote == '"' else _SINGLE).match(text, position)
    if quoted is None:
        raise _mistake(text, position, name, f"the value is never closed with {quote}")
    end = _BLANK.match(text, quoted.end())
    if end is None:
        raise _mistake(text, quoted.end(), name, "unexpected text after the closing quote")
    value = _ESCAPE.sub(_unescape, quoted[1]) if quote == '"' else quoted[1]
    return value, end.end()


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[0])


def _mistake(text: str, position: int, name: str, problem: str) -> InputError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return InputError(f"{name}:{line}:{column}: {problem}", hint="for instance: TOKEN=value")
