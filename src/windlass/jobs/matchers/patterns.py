r"""Regular expressions of .NET's ECMAScript kind → those of Python.

Both have the same core. Different are named groups and their numbers, `\z`, `\Z`, `\e`, `[` within
brackets, and `{,n}`, which .NET takes literally. What Python cannot say is refused with a message.
Source: https://learn.microsoft.com/dotnet/standard/base-types/regular-expressions
"""

from __future__ import annotations

import re
import warnings
from typing import Final

from windlass.model.values import dataclass

_NAMED: Final = re.compile(r"\(\?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_BACK: Final = re.compile(r"\\k(?:<(\w+)>|'(\w+)')")
_ESCAPES: Final = {"z": r"\Z", "Z": r"(?=\n?\Z)", "e": r"\x1b"}
_COUNT: Final = re.compile(r"\{,\d+\}")


class PatternError(Exception):
    """A pattern that cannot be used; holds the reason."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`python` is the expression; `groups` are Python's numbers of the groups in .NET's order."""

    python: str
    groups: tuple[int, ...]


def translate_pattern(text: str) -> Pattern:
    """Return a pattern as Python says it.

    Raises:
        PatternError: it is not valid, or says what Python cannot.
    """
    python = _translate(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            compiled = re.compile(python, re.ASCII)
    except (re.error, FutureWarning, OverflowError, RecursionError) as error:
        raise PatternError(f"The pattern '{text}' cannot be used: {error}") from error
    named = set(compiled.groupindex.values())
    # .NET numbers the groups without a name first.
    unnamed = [number for number in range(1, compiled.groups + 1) if number not in named]
    return Pattern(python, (0, *unnamed, *sorted(named)))


def _translate(text: str) -> str:
    parts: list[str] = []
    position = 0
    while position < len(text):
        part, position = _next_part(text, position)
        parts.append(part)
    return "".join(parts)


def _next_part(text: str, position: int) -> tuple[str, int]:
    """Return the next piece as Python says it, and where the one after it begins."""
    character = text[position]
    if character == "\\":
        if back := _BACK.match(text, position):
            return f"(?P={back[1] or back[2]})", back.end()
        escaped = text[position + 1 : position + 2]
        return _ESCAPES.get(escaped, character + escaped), position + 2
    if character == "[":
        return _translate_class(text, position)
    if named := _NAMED.match(text, position):
        return f"(?P<{named[1] or named[2]}>", named.end()
    if literal := _COUNT.match(text, position):
        return "\\" + literal[0], literal.end()
    return character, position + 1


def _translate_class(text: str, position: int) -> tuple[str, int]:
    """Return a class of characters with the brackets in it escaped, and where it ends."""
    parts = ["["]
    position += 1
    if text.startswith("^", position):
        parts.append("^")
        position += 1
    first = True
    while position < len(text) and (first or text[position] != "]"):
        if text.startswith("-[", position):
            raise PatternError(f"The pattern '{text}' takes one class of characters from another.")
        character = text[position]
        width = 2 if character == "\\" else 1
        piece = text[position : position + width]
        parts.append("\\" + piece if piece in ("[", "&", "~", "|") else _class_escape(piece))
        position += width
        first = False
    return "".join((*parts, text[position : position + 1])), position + 1


def _class_escape(piece: str) -> str:
    return r"\x1b" if piece == r"\e" else piece
