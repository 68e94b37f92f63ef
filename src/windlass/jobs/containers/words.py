"""A line of `options` or a `command` → words, as GitHub's runner hands it to `docker create`.

The runner writes them into one command line, which .NET takes apart.
"""

from __future__ import annotations

from windlass.jobs.containers.faults import ContainerFault
from windlass.lang.command_lines import read_arguments


def split_words(line: str) -> list[str]:
    """Return the words of a line.

    Raises:
        ContainerFault: a double quote is never closed.
    """
    words, is_closed = read_arguments(line)
    if not is_closed:
        raise ContainerFault(f"A double quote is not closed in '{line}'")
    return words
