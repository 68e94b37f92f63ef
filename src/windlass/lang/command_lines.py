r"""A line of arguments → the arguments, as .NET takes it apart for the processes the runner starts.

Blanks and tabs separate, `"` groups and `""` within a group is a quote, `\"` is a quote, and `\`
is itself. Single quotes and line breaks are plain characters.
Source: dotnet/runtime, System.Diagnostics.Process, Process.Unix.cs (ParseArgumentsIntoList)
"""

from __future__ import annotations

_BLANKS = " \t"


def split_arguments(line: str) -> list[str]:
    """Return the arguments of a line; a quote that is never closed reaches to its end."""
    return read_arguments(line)[0]


def read_arguments(line: str) -> tuple[list[str], bool]:
    """Return the arguments of a line, and whether its last quote is closed."""
    arguments: list[str] = []
    position = 0
    quoted = False
    while position < len(line):
        if line[position] in _BLANKS:
            position += 1
            continue
        argument, position, quoted = _next_argument(line, position)
        arguments.append(argument)
    return arguments, not quoted


def _next_argument(line: str, position: int) -> tuple[str, int, bool]:
    """Return the argument that begins at a place, the place behind it, and if a quote is open."""
    parts: list[str] = []
    quoted = False
    while position < len(line):
        slashes = 0
        while position + slashes < len(line) and line[position + slashes] == "\\":
            slashes += 1
        position += slashes
        at_quote = position < len(line) and line[position] == '"'
        parts.append("\\" * (slashes // 2 if at_quote else slashes))
        if at_quote:
            if slashes % 2:
                parts.append('"')
            elif quoted and line[position + 1 : position + 2] == '"':
                parts.append('"')
                position += 1
            else:
                quoted = not quoted
            position += 1
            continue
        if position >= len(line) or (line[position] in _BLANKS and not quoted):
            break
        parts.append(line[position])
        position += 1
    return "".join(parts), position, quoted
