"""Command files: what a step writes to GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE and GITHUB_PATH.

Source: actions/runner src/Runner.Worker/FileCommandManager.cs
"""

from __future__ import annotations

import codecs

from windlass.model.values import dataclass

SUMMARY_LIMIT_BYTES = 1024 * 1024
"""The most that a step may write to GITHUB_STEP_SUMMARY."""

MOST_ENTRIES = 100_000
"""How many entries a file may have. GitHub has no such limit; each entry takes more room in memory
than in the file."""

_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Entries:
    """The name and value of each entry in file order, up to a mistake.

    `problem` is the runner's message about that mistake, None where the whole file was read. What
    was set before the mistake counts, as on GitHub.
    """

    pairs: tuple[tuple[str, str], ...]
    problem: str | None = None


def decode_file(data: bytes) -> str:
    """Decode a file as .NET does: by its byte order mark, else UTF-8, bad bytes replaced."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def parse_entries(text: str) -> Entries:
    """Read `NAME=value` lines and `NAME<<END` … `END` blocks; empty lines between them are skipped.

    A carriage return at the end of a line belongs to the value, as on GitHub's Linux runners.
    """
    pairs: list[tuple[str, str]] = []
    index = 0
    while index < len(text):
        line, index = _read_line(text, index)
        if not line:
            continue
        if len(pairs) == MOST_ENTRIES:
            return Entries(tuple(pairs), f"There are more than {MOST_ENTRIES} entries")
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            pairs.append((line[:equals], line[equals + 1 :]))
        elif heredoc >= 0:
            name, delimiter = line[:heredoc], line[heredoc + 2 :]
            if not name or not delimiter:
                problem = "Name must not be empty and delimiter must not be empty"
                return Entries(tuple(pairs), f"Invalid format '{line}'. {problem}")
            value, index, problem_found = _read_block(text, index, delimiter)
            if problem_found:
                return Entries(tuple(pairs), problem_found)
            pairs.append((name, value))
        else:
            return Entries(tuple(pairs), f"Invalid format '{line}'")
    return Entries(tuple(pairs))


def parse_lines(text: str) -> tuple[str, ...]:
    """Read GITHUB_PATH: one folder a line, however lines end; empty lines are skipped."""
    return tuple(line for line in text.replace("\r", "\n").split("\n") if line)


def _read_line(text: str, index: int) -> tuple[str, int]:
    """Return the line at `index` without its end, and where the next line starts."""
    end = text.find("\n", index)
    if end < 0:
        return text[index:], len(text)
    return text[index:end], end + 1


def _read_block(text: str, start: int, delimiter: str) -> tuple[str, int, str | None]:
    """Return the value of a block, where the next line starts, and what is wrong with it."""
    index = start
    end_of_value = start
    while index < len(text):
        line, following = _read_line(text, index)
        if line == delimiter:
            return text[start:end_of_value], following, None
        if not text.startswith("\n", index + len(line)):
            return "", following, "Invalid value. EOF marker missing new line."
        end_of_value = following - 1
        index = following
    return "", index, f"Invalid value. Matching delimiter not found '{delimiter}'"
