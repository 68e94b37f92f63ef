"""A line of arguments → words, as GitHub's runner hands it to `docker create`.

The runner writes `options` and `command` into one command line, which .NET takes apart: double
quotes and backslashes in front of them count, single quotes and line breaks are plain characters.
Source: dotnet/runtime, System.Diagnostics.Process, Process.Unix.cs (ParseArgumentsIntoList)
"""

from __future__ import annotations

from typing import Final

from windlass.jobs.containers.faults import ContainerFault

_BLANKS: Final = " \t"


def split_words(line: str) -> list[str]:
    """Return the words of a line.

    Raises:
        ContainerFault: a double quote is never closed.
    """
    words = []
    place = 0
    while place < len(line):
        if line[place] in _BLANKS:
            place += 1
            continue
        word, place = _take_word(line, place)
        words.append(word)
    return words


def _take_word(line: str, place: int) -> tuple[str, int]:
    parts: list[str] = []
    quoted = False
    while place < len(line):
        character = line[place]
        if character == "\\":
            text, place = _take_backslashes(line, place)
            parts.append(text)
        elif character == '"':
            doubled = quoted and line[place + 1 : place + 2] == '"'
            parts.append('"' if doubled else "")
            quoted = quoted if doubled else not quoted
            place += 2 if doubled else 1
        elif character in _BLANKS and not quoted:
            break
        else:
            parts.append(character)
            place += 1
    if quoted:
        raise ContainerFault(f"A double quote is not closed in '{line}'")
    return "".join(parts), place


def _take_backslashes(line: str, place: int) -> tuple[str, int]:
    """Take backslashes; in front of a double quote two make one, and a single one protects it."""
    end = place
    while end < len(line) and line[end] == "\\":
        end += 1
    count = end - place
    if line[end : end + 1] != '"':
        return "\\" * count, end
    if count % 2:
        return "\\" * (count // 2) + '"', end + 1
    return "\\" * (count // 2), end
