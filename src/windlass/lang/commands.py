"""Runner commands: lines of a step's output by which it talks to the runner.

There are two spellings: `::name key=value,key=value::data` at the start of a line (spaces before it
are ignored), and the older `##[name key=value;key=value]data` anywhere in a line.
Source: actions/runner src/Runner.Common/ActionCommand.cs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

MARKER = "::"
OLD_MARKER = "##["

# The order matters: `%25` is last, so that an escaped percent sign is never read twice.
_DATA_ESCAPES = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY_ESCAPES = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_OLD_ESCAPES = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))

# What .NET's TrimStart() takes for white space; Python would add the separators U+001C to U+001F.
_SPACES = "".join(
    ("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000", *map(chr, range(0x2000, 0x200B)))
)


@dataclass(frozen=True, slots=True)
class RunnerCommand:
    """One command: its name as written, its properties in order, its data; all unescaped."""

    name: str
    data: str
    properties: Mapping[str, str] = field(default_factory=dict)

    def get(self, key: str) -> str | None:
        """Return a property without regard to case, or None."""
        folded = key.lower()
        return next((v for name, v in self.properties.items() if name.lower() == folded), None)


def parse_command(line: str, registered: Container[str]) -> RunnerCommand | None:
    """Return the command in a line, or None where the line is plain output.

    `registered` holds the names of known commands in lower case; any other name is plain output.
    """
    return _parse_current(line, registered) or _parse_old(line, registered)


def _parse_current(line: str, registered: Container[str]) -> RunnerCommand | None:
    text = line if line.startswith(MARKER) else line.lstrip(_SPACES)
    if not text.startswith(MARKER):
        return None
    end = text.find(MARKER, len(MARKER))
    if end < 0:
        return None
    name, _, properties = text[len(MARKER) : end].partition(" ")
    if name.lower() not in registered:
        return None
    return RunnerCommand(
        name,
        _unescape(text[end + len(MARKER) :], _DATA_ESCAPES),
        _parse_properties(properties.strip(_SPACES), ",", _PROPERTY_ESCAPES),
    )


def _parse_old(line: str, registered: Container[str]) -> RunnerCommand | None:
    start = line.find(OLD_MARKER)
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, properties = line[start + len(OLD_MARKER) : end].partition(" ")
    if name.lower() not in registered:
        return None
    return RunnerCommand(
        name,
        _unescape(line[end + 1 :], _OLD_ESCAPES),
        _parse_properties(properties, ";", _OLD_ESCAPES),
    )


def _parse_properties(
    text: str, separator: str, escapes: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    """Read `key=value` pairs; a pair without key or value does not count.

    The runner splits a pair without keeping empty parts, so `=` in front of the key or of the value
    is lost, while one inside the value stays.
    """
    properties: dict[str, str] = {}
    if not text:
        return properties
    spellings: dict[str, str] = {}
    for pair in text.split(separator):
        key, _, value = pair.lstrip("=").partition("=")
        value = value.lstrip("=")
        if key and value:
            properties[spellings.setdefault(key.lower(), key)] = _unescape(value, escapes)
    return properties


def _unescape(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    if "%" in text:
        for escape, character in escapes:
            text = text.replace(escape, character)
    return text
