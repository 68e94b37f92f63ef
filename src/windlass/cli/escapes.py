"""Lines that a step printed, made safe for a terminal: colours stay, what moves the cursor goes."""

from __future__ import annotations

import re

from windlass.cli.terminal import visible

_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements, erasing
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC and other strings: titles, links
    r"|\x1b[ -/]*[0-~]"  # short ones
)
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_PLAIN = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*")
_PLAIN_BYTES = bytes([0x0A, *range(0x20, 0x7F)])
RESET = "\x1b[0m"
OUTPUT_TAB_WIDTH = 8


def is_plain(text: str) -> bool:
    """Tell whether all lines of a text may be shown as they are."""
    if text.isascii():  # nearly all output; a search would take ten times as long
        return not text.encode("ascii").translate(None, _PLAIN_BYTES)
    return _PLAIN.fullmatch(text) is not None


def clean_line(line: str, *, colour: bool) -> str:
    """Return one line as it may be shown; a progress bar leaves only its last state.

    Source of the sequences: ECMA-48, sections 5.4 and 5.6.
    """
    if _PLAIN.fullmatch(line):
        return line
    line = line.rstrip("\r").rpartition("\r")[2].expandtabs(OUTPUT_TAB_WIDTH)
    cleaned = _ESCAPE.sub(lambda match: _keep_colour(match[0], colour=colour), line)
    parts = re.split(f"({_COLOUR.pattern})", cleaned)
    cleaned = "".join(part if _COLOUR.fullmatch(part) else visible(part) for part in parts)
    return cleaned + RESET if "\x1b" in cleaned and not cleaned.endswith(RESET) else cleaned


def _keep_colour(sequence: str, *, colour: bool) -> str:
    return sequence if colour and _COLOUR.fullmatch(sequence) else ""


def strip_colours(text: str) -> str:
    """Return a text as it would be without colours."""
    return _COLOUR.sub("", text)
