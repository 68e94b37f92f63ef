"""Secrets as they come to a command: from a file, from stdin, from a prompt; never as a word."""

from __future__ import annotations

import sys
from pathlib import Path

from windlass.errors import UsageError


def read_secret(file: str | None, what: str) -> str:
    """Return a secret from a file, `-` for stdin, or ask for it; without the end of its last line.

    Raises:
        UsageError: nobody can be asked, or it is empty.
        OSError: the file cannot be read.
    """
    if file == "-" or (file is None and not sys.stdin.isatty()):
        text = sys.stdin.read()
    elif file is not None:
        text = Path(file).read_text(encoding="utf-8")
    else:
        from getpass import getpass

        text = getpass(f"{what}: ")
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise UsageError(f"{what} is empty", hint="a file, stdin or a prompt gives it")
    return text
